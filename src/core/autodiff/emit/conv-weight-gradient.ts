import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import type { Target } from '../rule.ts';
import { fitsImageGroups, imageGroupsGradient } from './conv-image-groups.ts';
import { depthwiseGradient, tapsGradient } from './conv-taps.ts';
import { convolve } from './convolve.ts';
import { padded, type SlidingWindow, tap } from './sliding-window.ts';

/** A convolution whose weights are differentiated: x [N, C, ...input], dy [N, K, ...output]. */
export interface WeightGradient {
  readonly b: GraphBuilder;
  readonly x: string;
  readonly dy: string;
  readonly window: SlidingWindow;
  readonly group: number;
  readonly target: Target;
}

/**
 * The gradient of a convolution in its weights: dw[k, c, i] = sum over n, o of dy[n, k, o] x[n, c, o s + i d - begin],
 * [K, C/group, ...kernel]. Formulations of the one sum, chosen by measurement (docs/benchmarks-autodiff.md).
 */
export function convWeightGradient(g: WeightGradient): string {
  const { kernel, begins } = g.window;
  const perGroup = g.b.dims(g.x)[1]! / g.group;
  const taps = sizeOf(kernel);
  if (g.target !== 'ort-cuda' && fitsImageGroups(g)) return imageGroupsGradient(g);
  if (g.group === 1 && taps === 1 && begins.every((pad) => pad === 0)) return pointwise(g);
  if (perGroup === 1 && g.group > 1) return depthwiseGradient(g);
  if (g.target === 'ort-cuda') return tapsGradient(g);
  return kernel.length > 2 ? bySlabs(g) : swapped(g);
}

/** 1x1: one Gemm over all positions of all images. */
function pointwise({ b, x, dy, window }: WeightGradient): string {
  const flat = (value: string) => {
    const [batch, channels, ...sizes] = b.dims(value) as [number, number, ...number[]];
    const perm = [1, 0, ...sizes.map((_, i) => i + 2)];
    const turned = batch === 1 ? value : b.op('Transpose', [value], { perm });
    return b.op('Reshape', [turned, b.ints([channels, batch * sizeOf(sizes)])]);
  };
  const first = window.kernel.map(() => 0);
  const product = b.op('Gemm', [flat(dy), flat(tap(b, x, window, first))], { transB: 1 });
  return b.op('Reshape', [product, b.ints([b.dims(dy)[1]!, b.dims(x)[1]!, ...window.kernel])]);
}

/**
 * As one convolution with the roles swapped: images are channels, dy is the kernel (strides and dilations change
 * places), and the channels of x are one more spatial axis, the last. So the engine's matrix product makes
 * K x (kernel C) results rather than C times K x kernel, and its inner copies are contiguous.
 */
function swapped({ b, x, dy, window, group }: WeightGradient): string {
  const [batch, channels] = b.dims(x) as [number, number];
  const filters = b.dims(dy)[1]!;
  const perGroup = channels / group;
  const { kernel, strides, dilations, begins, input, output } = window;
  const axes = kernel.map((_, i) => i);
  // Two transpositions that each move one axis: the engine is ten times slower at one that moves two.
  const grouped = b.op('Reshape', [x, b.ints([batch, group, perGroup, sizeOf(input)])]);
  const inner = b.op('Transpose', [grouped], { perm: [0, 1, 3, 2] });
  const last = b.op('Transpose', [inner], { perm: [1, 0, 2, 3] });
  const image = b.op('Reshape', [last, b.ints([1, group * batch, ...input, perGroup])]);
  const turned = b.op('Transpose', [dy], { perm: [1, 0, ...axes.map((i) => i + 2)] });
  const filter = b.op('Reshape', [turned, b.ints([filters, batch, ...output, 1])]);
  const roles: SlidingWindow = {
    kernel: [...output, 1],
    strides: [...dilations, 1],
    dilations: [...strides, 1],
    begins: [...begins, 0],
    input: [...input, perGroup],
    output: [...kernel, perGroup],
  };
  const product = convolve(b, image, filter, roles, group);
  const wide = b.op('Reshape', [product, b.ints([filters, ...kernel, perGroup])]);
  return b.op('Transpose', [wide], { perm: [0, kernel.length + 1, ...axes.map((i) => i + 1)] });
}

/** Three spatial axes: a two-axis problem per kernel position of the first axis, whose slabs join the batch. */
function bySlabs(g: WeightGradient): string {
  const { b, window } = g;
  const inner: SlidingWindow = {
    kernel: window.kernel.slice(1),
    strides: window.strides.slice(1),
    dilations: window.dilations.slice(1),
    begins: window.begins.slice(1),
    input: window.input.slice(1),
    output: window.output.slice(1),
  };
  const joined = (value: string) => {
    const [batch, channels, slabs, ...sizes] = b.dims(value) as [number, number, number, ...number[]];
    const turned = b.op('Transpose', [value], { perm: [0, 2, 1, ...sizes.map((_, i) => i + 3)] });
    return b.op('Reshape', [turned, b.ints([batch * slabs, channels, ...sizes])]);
  };
  const dy = joined(g.dy);
  const [kernel, stride, dilation, output] = [
    window.kernel[0]!,
    window.strides[0]!,
    window.dilations[0]!,
    window.output[0]!,
  ];
  const deep = padded(b, g.x, window, 1);
  const gradients = Array.from({ length: kernel }, (_, i) => {
    const start = i * dilation;
    const range = [start, start + (output - 1) * stride + 1, 2, stride].map((v) => b.ints([v]));
    const x = joined(b.op('Slice', [deep, ...range]));
    return b.op('Unsqueeze', [convWeightGradient({ ...g, x, dy, window: inner }), b.ints([2])]);
  });
  return gradients.length === 1 ? gradients[0]! : b.op('Concat', gradients, { axis: 2 });
}
