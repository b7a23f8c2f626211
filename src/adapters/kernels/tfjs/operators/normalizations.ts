import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute } from '../../../../core/onnx/attributes.ts';
import { isNative } from '../backend.ts';
import { axisIn, Laid } from '../layout.ts';
import { batchNorm } from '../native/batch-norm.ts';
import { reshape } from '../reshape.ts';
import { each, fromFront, type Made, type Operator, type Operators, perChannel } from './operator.ts';

/**
 * y = scale (x - mean) / sqrt(var + epsilon) + bias over all axes but channels. In training mode mean and variance are
 * the batch's (biased, as ONNX has it, in the running variance too) and running <- momentum running + (1 - momentum)
 * batch. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 */
const batchNormalization: Operator = (x, node) => {
  const value = x.laid(0);
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const [scale, bias, runningMean, runningVar] = [1, 2, 3, 4].map((i) => x.tensor(i)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  if (intAttribute(node, 'training_mode', 0) === 0) {
    const factor = tf.mul(scale, tf.rsqrt(tf.add(runningVar, epsilon)));
    const shift = tf.sub(bias, tf.mul(runningMean, factor));
    return each(value, (v) => tf.add(tf.mul(v, perChannel(factor, value)), perChannel(shift, value)));
  }
  const momentum = floatAttribute(node, 'momentum', 0.9);
  const count = value.own.size / value.shape[1]!;
  if (isNative() && count > 1)
    return fused(value, { scale, bias, runningMean, runningVar, epsilon, momentum });
  const { y, mean, variance } = statistics(value, scale, bias, epsilon);
  const follow = (running: tf.Tensor, batch: tf.Tensor) =>
    tf.add(tf.mul(running, momentum), tf.mul(batch, 1 - momentum));
  return [y, follow(runningMean, mean), follow(runningVar, variance)];
};

/** The normal value with the statistics of the batch. */
function statistics(value: Laid, scale: tf.Tensor, bias: tf.Tensor, epsilon: number) {
  const axes = value.shape.map((_, i) => i).filter((i) => i !== axisIn(value.made, 1, value.rank));
  const mean = tf.mean(value.own, axes);
  const centred = tf.sub(value.own, perChannel(mean, value));
  const variance = tf.mean(tf.square(centred), axes);
  const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)));
  const y = tf.add(tf.mul(centred, perChannel(factor, value)), perChannel(bias, value));
  return { y: new Laid(y, value.made), mean, variance };
}

interface Running {
  readonly scale: tf.Tensor;
  readonly bias: tf.Tensor;
  readonly runningMean: tf.Tensor;
  readonly runningVar: tf.Tensor;
  readonly epsilon: number;
  readonly momentum: number;
}

/** All of it by libtensorflow, spatial axes as one. Its variance is a sample's, so the running one is given and taken so. */
function fused(value: Laid, { scale, bias, runningMean, runningVar, epsilon, momentum }: Running): Made[] {
  const [n, c, ...spatial] = value.shape as [number, number, ...number[]];
  const last = value.in('last');
  const positions = spatial.reduce((product, dim) => product * dim, 1);
  const x = last.rank === 4 ? last : reshape(last, [n, positions, 1, c]);
  const count = n * positions;
  const sample = tf.mul(runningVar, count / (count - 1));
  const made = batchNorm.run({ x, scale, bias, mean: runningMean, variance: sample }, { epsilon, momentum });
  const [y, mean, variance, batchMean] = made as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const share = (1 - momentum) / count;
  const following = (statistic: tf.Tensor, running: tf.Tensor, byX: Statistic['byX']) =>
    differentiable({ statistic, running, momentum, x, batchMean, byX });
  return [
    new Laid(reshape(y, last.shape), 'last'),
    following(mean, runningMean, (dy, v) => tf.mul(tf.onesLike(v), tf.mul(dy, share))),
    following(tf.mul(variance, (count - 1) / count), runningVar, (dy, v, centre) =>
      tf.mul(tf.sub(v, centre), tf.mul(dy, 2 * share)),
    ),
  ];
}

interface Statistic {
  readonly statistic: tf.Tensor;
  readonly running: tf.Tensor;
  readonly momentum: number;
  /** [..., C]. */
  readonly x: tf.Tensor;
  readonly batchMean: tf.Tensor;
  byX(dy: tf.Tensor, x: tf.Tensor, batchMean: tf.Tensor): tf.Tensor;
}

/** A new running statistic with its gradients, which cost nothing where no loss reads the statistic. */
function differentiable({ statistic, running, momentum, x, batchMean, byX }: Statistic): tf.Tensor {
  return tf.customGrad((...args) => {
    const [v, , save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([v, batchMean]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => [
      byX(dy, saved[0]!, saved[1]!),
      tf.mul(dy, momentum),
    ];
    return { value: tf.clone(statistic), gradFunc };
  })(x, running);
}

/** (x - mean) / deviation over axes, with mean and 1 / deviation. */
function standardized(x: tf.Tensor, axes: number[], epsilon: number) {
  const mean = tf.mean(x, axes, true);
  const centred = tf.sub(x, mean);
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon));
  return { normal: tf.mul(centred, scale), mean, scale };
}

const instanceNormalization: Operator = (x, node) => {
  const value = x.laid(0);
  const axes = value.shape.map((_, i) => i).slice(2);
  const places = axes.map((axis) => axisIn(value.made, axis, value.rank));
  return each(value, (v) => {
    const { normal } = standardized(v, places, floatAttribute(node, 'epsilon', 1e-5));
    return tf.add(tf.mul(normal, perChannel(x.tensor(1), value)), perChannel(x.tensor(2), value));
  });
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
