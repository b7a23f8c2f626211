import * as tf from '@tensorflow/tfjs-core';
import { type Attributes, executeAll } from './execute.ts';
import { nativeKernel } from './native-kernel.ts';

interface BatchNormOptions {
  readonly epsilon: number;
}

const attributesOf = ({ epsilon }: BatchNormOptions): Attributes => ({
  epsilon: { float: epsilon },
  data_format: 'NHWC',
  is_training: true,
});

/**
 * Batch normalisation in training mode over x [N, H, W, C] with scale and bias [C], fused forward and backward. Outputs:
 * y, batch mean, batch variance (of a sample: divided by NHW - 1), and what the gradient needs. Only y has a gradient.
 */
export const batchNorm = nativeKernel<'x' | 'scale' | 'bias', BatchNormOptions>({
  name: 'retort.BatchNorm',
  inputs: ['x', 'scale', 'bias'],
  keeps: [false, false, false, true, true, true],
  forward: ({ x, scale, bias }, options) => {
    const none = tf.tensor1d([]);
    return executeAll('FusedBatchNormV3', [x, scale, bias, none, none], attributesOf(options), 6);
  },
  backward: (dy, { x, scale }, saved, options) => {
    const made = executeAll('FusedBatchNormGradV3', [dy, x, scale, ...saved], attributesOf(options), 5);
    return { x: () => made[0]!, scale: () => made[1]!, bias: () => made[2]! };
  },
});
