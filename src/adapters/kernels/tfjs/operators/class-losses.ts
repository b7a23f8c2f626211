import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, stringAttribute } from '../../../../core/onnx/attributes.ts';
import { type Inputs, lastAxes, type Node, type Operator, type Operators, untaped } from './operator.ts';
import { takeRows, whole } from './rows.ts';

/**
 * -w lp[n, label_n] over log-probabilities lp [N, C, rest...] and labels [N, rest...], w = weights[label] (default 1), zero
 * for the ignored label; reduction none, sum, or mean (divided by the sum of w).
 */
function classLoss(x: Inputs, node: Node, scores: tf.Tensor): tf.Tensor {
  const labels = x.tensor(1);
  const classes = scores.shape[1]!;
  const { perm } = lastAxes(scores.rank, [1]);
  const rows = tf.reshape(tf.transpose(scores, perm), [scores.size, 1]);
  const ignored = intAttribute(node, 'ignore_index');
  const flat = tf.reshape(labels, [labels.size]);
  const kept = untaped(
    (given) => (ignored === undefined ? tf.onesLike(given) : tf.cast(tf.notEqual(given, ignored), 'int32')),
    flat,
  );
  const safe = untaped((given, use) => tf.mul(tf.cast(given, 'int32'), use), flat, kept);
  const starts = whole(
    Array.from({ length: labels.size }, (_, n) => n * classes),
    [labels.size],
  );
  const picked = tf.reshape(takeRows(rows, tf.add(safe, starts)), [labels.size]);
  const own = x.has(2) ? tf.gather(x.tensor(2), safe) : tf.ones([labels.size]);
  const weight = tf.mul(own, tf.cast(kept, 'float32'));
  const losses = tf.neg(tf.mul(picked, weight));
  const reduction = stringAttribute(node, 'reduction', 'mean');
  if (reduction === 'none') return tf.reshape(losses, labels.shape);
  return reduction === 'sum' ? tf.sum(losses) : tf.div(tf.sum(losses), tf.sum(weight));
}

/** log softmax over classes, axis 1. */
const logProbabilities = (x: tf.Tensor): tf.Tensor => tf.sub(x, tf.logSumExp(x, 1, true));

const softmaxCrossEntropy: Operator = (x, node) => {
  const scores = logProbabilities(x.tensor(0));
  return [classLoss(x, node, scores), scores];
};

export const classLosses: Operators = {
  NegativeLogLikelihoodLoss: (x, node) => classLoss(x, node, x.tensor(0)),
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
