import * as tf from '@tensorflow/tfjs-core';
import { type Attributes, executeAll } from './execute.ts';
import { nativeKernel } from './native-kernel.ts';

interface BatchNormOptions {
  readonly epsilon: number;
  readonly momentum: number;
}

const attributesOf = ({ epsilon }: BatchNormOptions): Attributes => ({
  U: { dtype: 'float32' },
  epsilon: { float: epsilon },
  data_format: 'NHWC',
  is_training: true,
});

/**
 * Batch normalisation in training mode over x [N, H, W, C] with scale and bias [C], fused forward and backward. `mean` and
 * `variance` [C] run along: running <- momentum running + (1 - momentum) batch, the variance that of a sample (divided by
 * NHW - 1). Outputs: y, the new running mean and variance, then the batch's mean and what else the gradient needs.
 * Only y has a gradient.
 */
export const batchNorm = nativeKernel<'x' | 'scale' | 'bias' | 'mean' | 'variance', BatchNormOptions>({
  name: 'retort.BatchNorm',
  inputs: ['x', 'scale', 'bias', 'mean', 'variance'],
  keeps: [false, false, false, true, true, true],
  forward: ({ x, scale, bias, mean, variance }, options) => {
    const attributes = { ...attributesOf(options), exponential_avg_factor: { float: 1 - options.momentum } };
    return executeAll('FusedBatchNormV3', [x, scale, bias, mean, variance], attributes, 6);
  },
  backward: (dy, { x, scale, mean, variance }, saved, options) => {
    const made = executeAll('FusedBatchNormGradV3', [dy, x, scale, ...saved], attributesOf(options), 5);
    return {
      x: () => made[0]!,
      scale: () => made[1]!,
      bias: () => made[2]!,
      mean: () => tf.zerosLike(mean),
      variance: () => tf.zerosLike(variance),
    };
  },
});
