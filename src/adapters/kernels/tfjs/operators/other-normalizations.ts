import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute, intsAttribute } from '../../../../core/onnx/attributes.ts';
import { axisIn } from '../layout.ts';
import { each, fromFront, type Operator, type Operators, untaped } from './operator.ts';

/** Normalisations without weights of their own. */

/** x / its L1 or L2 norm along an axis; zero where the norm is. */
const lpNormalization: Operator = (x, node) => {
  const value = x.laid(0);
  const axis = axisIn(value.made, fromFront(intAttribute(node, 'axis', -1), value.rank), value.rank);
  const l1 = intAttribute(node, 'p', 2) === 1;
  return each(value, (v) => {
    const total = tf.sum(l1 ? tf.mul(v, untaped(tf.sign, v)) : tf.square(v), axis, true);
    const empty = untaped((t) => tf.cast(tf.equal(t, 0), 'float32'), total);
    const safe = tf.add(total, empty);
    return tf.div(v, l1 ? safe : tf.sqrt(safe));
  });
};

/** x s^-beta, s = bias + alpha / n times the sum of squares over the n channels around each: a banded matrix product. */
const lrn: Operator = (x, node) => {
  const value = x.tensor(0);
  const [n, channels] = value.shape as [number, number];
  const size = intAttribute(node, 'size', 1);
  const below = Math.floor((size - 1) / 2);
  const share = floatAttribute(node, 'alpha', 1e-4) / size;
  const band = Array.from({ length: channels * channels }, (_, i) => {
    const distance = (i % channels) - Math.floor(i / channels);
    return distance >= -below && distance <= size - 1 - below ? share : 0;
  });
  const squares = tf.reshape(tf.square(value), [n, channels, value.size / n / channels]);
  const spread = tf.broadcastTo(tf.tensor3d(band, [1, channels, channels]), [n, channels, channels]);
  const s = tf.add(tf.matMul(spread, squares), floatAttribute(node, 'bias', 1));
  return tf.mul(value, tf.reshape(tf.pow(s, -floatAttribute(node, 'beta', 0.75)), value.shape));
};

/** (x - mean) / deviation over axes, with the epsilon that onnxruntime adds to the deviation. */
const meanVariance: Operator = (x, node) => {
  const value = x.laid(0);
  const axes = intsAttribute(node, 'axes', [0, 2, 3]).map((axis) =>
    axisIn(value.made, fromFront(axis, value.rank), value.rank),
  );
  return each(value, (v) => {
    const centred = tf.sub(v, tf.mean(v, axes, true));
    return tf.div(centred, tf.add(tf.sqrt(tf.mean(tf.square(centred), axes, true)), 1e-9));
  });
};

export const otherNormalizations: Operators = {
  LRN: lrn,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVariance,
};
