import * as tf from '@tensorflow/tfjs-core';
import { type Attributes, execute } from './execute.ts';
import { nativeKernel } from './native-kernel.ts';

export interface MaxPoolOptions {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly padding: 'SAME' | 'VALID';
}

const attributesOf = ({ kernel, strides, padding }: MaxPoolOptions): Attributes => ({
  ksize: { int: [1, ...kernel, 1] },
  strides: { int: [1, ...strides, 1] },
  padding,
  data_format: 'NHWC',
});

/**
 * Largest element of each window of x [N, H, W, C]; the first in row-major order takes the gradient. libtensorflow passes
 * over what is not a number, so it is brought back by the windows' means.
 */
export const maxPool = nativeKernel<'x', MaxPoolOptions>({
  name: 'retort.MaxPool',
  inputs: ['x'],
  forward: ({ x }, options) => {
    const largest = execute('MaxPool', [x], attributesOf(options));
    const mean = execute('AvgPool', [x], attributesOf(options));
    return [tf.where(tf.isNaN(mean), mean, largest)];
  },
  backward: (dy, { x }, [y], options) => ({
    x: () => execute('MaxPoolGrad', [x, y!, dy], attributesOf(options)),
  }),
});
