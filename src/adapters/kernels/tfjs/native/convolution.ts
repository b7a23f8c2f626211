import * as tf from '@tensorflow/tfjs-core';
import { type Attributes, execute, shapeTensor } from './execute.ts';
import { nativeKernel } from './native-kernel.ts';

/**
 * Convolutions of libtensorflow, channels last: x [N, ...in, C], w [...kernel, C/g, M] -> [N, ...out, M] over two or three
 * axes; one filter per channel (`depthwise`) has w [kh, kw, C, M/C]. No dilations: their gradients are missing there.
 */
export interface ConvolutionOptions {
  readonly depthwise: boolean;
  readonly strides: readonly number[];
  /** Explicit pads would miss the fast kernels. */
  readonly padding: 'SAME' | 'VALID';
}

const attributesOf = ({ strides, padding }: ConvolutionOptions): Attributes => ({
  strides: { int: [1, ...strides, 1] },
  padding,
  data_format: strides.length === 3 ? 'NDHWC' : 'NHWC',
});

const operationOf = ({ depthwise, strides }: ConvolutionOptions): string => {
  if (strides.length === 3) return 'Conv3D';
  return depthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
};

const forward = (x: tf.Tensor, w: tf.Tensor, options: ConvolutionOptions): tf.Tensor =>
  execute(operationOf(options), [x, w], attributesOf(options));

/** Gradient by x: the adjoint of the map from x to y. */
const byInput = (
  shape: readonly number[],
  w: tf.Tensor,
  dy: tf.Tensor,
  options: ConvolutionOptions,
): tf.Tensor => {
  const volume = options.strides.length === 3;
  const op = `${operationOf(options)}BackpropInput${volume ? 'V2' : ''}`;
  return tf.tidy(() => execute(op, [shapeTensor(shape), w, dy], attributesOf(options)));
};

const byFilter = (
  x: tf.Tensor,
  shape: readonly number[],
  dy: tf.Tensor,
  options: ConvolutionOptions,
): tf.Tensor => {
  const volume = options.strides.length === 3;
  const op = `${operationOf(options)}BackpropFilter${volume ? 'V2' : ''}`;
  return tf.tidy(() => execute(op, [x, shapeTensor(shape), dy], attributesOf(options)));
};

const plain = nativeKernel<'x' | 'w', ConvolutionOptions>({
  name: 'retort.Convolution',
  inputs: ['x', 'w'],
  keeps: [false],
  forward: ({ x, w }, options) => [forward(x, w, options)],
  backward: (dy, { x, w }, _, options) => ({
    x: () => byInput(x.shape, w, dy, options),
    w: () => byFilter(x, w.shape, dy, options),
  }),
});

interface TransposedOptions extends ConvolutionOptions {
  /** Of the result: several sizes lead to one. */
  readonly shape: readonly number[];
}

const transposed = nativeKernel<'x' | 'w', TransposedOptions>({
  name: 'retort.TransposedConvolution',
  inputs: ['x', 'w'],
  keeps: [false],
  forward: ({ x, w }, options) => [byInput(options.shape, w, x, options)],
  backward: (dy, { x, w }, _, options) => ({
    x: () => forward(dy, w, options),
    w: () => byFilter(dy, w.shape, x, options),
  }),
});

export const convolution = {
  register(): void {
    plain.register();
    transposed.register();
  },
  run: (x: tf.Tensor, w: tf.Tensor, options: ConvolutionOptions): tf.Tensor =>
    plain.run({ x, w }, options)[0]!,
  /** The adjoint: x [N, ...out, M] -> `shape` [N, ...in, C]. */
  runTransposed: (x: tf.Tensor, w: tf.Tensor, options: TransposedOptions): tf.Tensor =>
    transposed.run({ x, w }, options)[0]!,
};
