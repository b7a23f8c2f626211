import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute } from '../../../../core/onnx/attributes.ts';
import { perChannel } from './convolutions.ts';
import { fromFront, type Operator, type Operators } from './operator.ts';

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

/** (x - mean) / deviation over axes, with mean and 1 / deviation. */
function standardized(x: tf.Tensor, axes: number[], epsilon: number) {
  const mean = tf.mean(x, axes, true);
  const centred = tf.sub(x, mean);
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon));
  return { normal: tf.mul(centred, scale), mean, scale };
}

const instanceNormalization: Operator = (x, node) => {
  const value = x.tensor(0);
  const axes = value.shape.map((_, i) => i).slice(2);
  const { normal } = standardized(value, axes, floatAttribute(node, 'epsilon', 1e-5));
  return tf.add(tf.mul(normal, perChannel(x.tensor(1), value.rank)), perChannel(x.tensor(2), value.rank));
};

const layerNormalization: Operator = (x, node) => {
  const value = x.tensor(0);
  const first = fromFront(intAttribute(node, 'axis', -1), value.rank);
  const axes = value.shape.map((_, i) => i).slice(first);
  const { normal, mean, scale } = standardized(value, axes, floatAttribute(node, 'epsilon', 1e-5));
  const y = tf.mul(normal, x.tensor(1));
  return [x.has(2) ? tf.add(y, x.tensor(2)) : y, mean, scale];
};

export const normalizations: Operators = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
};
