import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute } from '../../../../core/onnx/attributes.ts';
import { perChannel } from './convolutions.ts';
import type { Operator, Operators } from './operator.ts';

/**
 * y = scale (x - mean) / sqrt(var + epsilon) + bias over all axes but channels. In training mode mean and variance are
 * the batch's (biased, as ONNX has it, in the running variance too) and running <- momentum running + (1 - momentum)
 * batch. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 */
const batchNormalization: Operator = (x, node) => {
  const value = x.tensor(0);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const [scale, bias, runningMean, runningVar] = [1, 2, 3, 4].map((i) => x.tensor(i)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const shaped = (v: tf.Tensor) => perChannel(v, value.rank);
  const normal = (centred: tf.Tensor, variance: tf.Tensor) =>
    tf.add(tf.mul(centred, tf.mul(shaped(scale), tf.rsqrt(tf.add(shaped(variance), epsilon)))), shaped(bias));
  if (intAttribute(node, 'training_mode', 0) === 0) {
    return normal(tf.sub(value, shaped(runningMean)), runningVar);
  }
  const axes = value.shape.map((_, i) => i).filter((i) => i !== 1);
  const mean = tf.mean(value, axes);
  const centred = tf.sub(value, shaped(mean));
  const variance = tf.mean(tf.square(centred), axes);
  const momentum = floatAttribute(node, 'momentum', 0.9);
  const follow = (running: tf.Tensor, batch: tf.Tensor) =>
    tf.add(tf.mul(running, momentum), tf.mul(batch, 1 - momentum));
  return [normal(centred, variance), follow(runningMean, mean), follow(runningVar, variance)];
};

export const normalizations: Operators = { BatchNormalization: batchNormalization };
