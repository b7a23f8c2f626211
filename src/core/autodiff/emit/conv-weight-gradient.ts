import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import type { Target } from '../rule.ts';
import { convolve } from './convolve.ts';
import { gradientByPosition } from './gradient-by-position.ts';
import { reachOf, type SlidingWindow, tap } from './sliding-window.ts';

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
  const { kernel, begins, dilations } = g.window;
  if (g.group === 1 && sizeOf(kernel) === 1 && begins.every((pad) => pad === 0)) return pointwise(g);
  if (g.target === 'ort-cuda') return gradientByPosition(g);
  return kernel.length < 3 && dilations.at(-1)! > 1 ? swapped(g, 'apart') : swapped(g, 'merged');
}

/** 1x1: a matrix product per image, added up; one Gemm over all images where those results would be many or large. */
function pointwise(g: WeightGradient): string {
  const { b, x, dy, window } = g;
  const [batch, channels] = b.dims(x) as [number, number];
  const filters = b.dims(dy)[1]!;
  const origin = window.kernel.map(() => 0);
  const met = tap(b, x, window, origin);
  const flat = (value: string, dims: readonly number[]) =>
    b.op('Reshape', [value, b.ints([...dims, sizeOf(window.output)])]);
  let product: string;
  if (hasRoom(g, batch)) {
    const turned = b.op('Transpose', [flat(met, [batch, channels])], { perm: [0, 2, 1] });
    const perImage = b.op('MatMul', [flat(dy, [batch, filters]), turned]);
    product = b.op('ReduceSum', [perImage, b.ints([0])], { keepdims: 0 });
  } else {
    const rows = (value: string, count: number) =>
      b.op('Reshape', [swapFirst(b, value), b.ints([count, batch * sizeOf(window.output)])]);
    product = b.op('Gemm', [rows(dy, filters), rows(met, channels)], { transB: 1 });
  }
  return b.op('Reshape', [product, b.ints([filters, channels, ...window.kernel])]);
}

/**
 * As one convolution with the roles swapped: dy is the kernel (strides and dilations change places), a few images are its
 * input channels, and the channels of x are the fastest part of its last axis, so that the engine's inner copies are long
 * and contiguous. Groups of images are groups of the convolution: what it unrolls for one stays in cache, groups run in
 * parallel, and their results are added at the end.
 * Channels `merged` into the last axis: one step along it is C cells, and `reach` steps of results come out, of which
 * dilation keeps every d-th. Channels `apart`, as one more axis: shorter copies, but no results to drop.
 */
function swapped(g: WeightGradient, channels: 'merged' | 'apart'): string {
  const { b, x, dy, window, group } = g;
  const [batch, all] = b.dims(x) as [number, number];
  const filters = b.dims(dy)[1]!;
  const perGroup = all / group;
  const { kernel, strides, dilations, begins, input, output } = window;
  const last = kernel.length - 1;
  const scaled = (list: readonly number[]) => list.map((v, i) => (i === last ? v * perGroup : v));
  const reach = reachOf(window, last);
  const merged = channels === 'merged';
  const roles: SlidingWindow = merged
    ? {
        kernel: output,
        strides: dilations.map((d, i) => (i === last ? 1 : d)),
        dilations: scaled(strides),
        begins: scaled(begins),
        input: scaled(input),
        output: kernel.map((k, i) => (i === last ? reach * perGroup : k)),
      }
    : {
        kernel: [...output, 1],
        strides: [...dilations, 1],
        dilations: [...strides, 1],
        begins: [...begins, 0],
        input: [...input, perGroup],
        output: [...kernel, perGroup],
      };
  const images = imagesPerPart(g);
  const parts = batch / images;

  // [parts, images, groups, ...] -> [parts, groups, images, ...] on both sides.
  const flatX = b.op('Reshape', [x, b.ints([batch * group, perGroup, sizeOf(input)])]);
  const moved = b.op('Transpose', [flatX], { perm: [0, 2, 1] });
  const arranged = swapMiddle(b, moved, [parts, images, group, perGroup * sizeOf(input)]);
  const image = b.op('Reshape', [arranged, b.ints([1, group * batch, ...roles.input])]);
  const turned = swapMiddle(b, dy, [parts, images, filters, sizeOf(output)]);
  const filter = b.op('Reshape', [turned, b.ints([parts * filters, images, ...roles.kernel])]);

  const product = convolve(b, image, filter, roles, parts * group);
  const positions = merged ? [...kernel.slice(0, -1), reach] : kernel;
  const apart = b.op('Reshape', [product, b.ints([parts, filters, ...positions, perGroup])]);
  const sum = b.op('ReduceSum', [apart, b.ints([0])], { keepdims: 0 });
  const every = [0, reach, last + 1, dilations[last]!].map((value) => b.ints([value]));
  const kept = merged && reach > kernel[last]! ? b.op('Slice', [sum, ...every]) : sum;
  return b.op('Transpose', [kept], { perm: [0, last + 2, ...kernel.map((_, i) => i + 1)] });
}

/** Output positions a part should have at least: below, the engine's matrix products are too short to be fast. */
const POSITIONS = 256;

/** The fewest images with enough positions, and whose results together are not much larger than x and dy. */
function imagesPerPart(g: WeightGradient): number {
  const batch = g.b.dims(g.x)[0]!;
  for (let images = 1; images < batch; images++) {
    const enough = images * sizeOf(g.window.output) >= POSITIONS;
    if (batch % images === 0 && enough && hasRoom(g, batch / images)) return images;
  }
  return batch;
}

/** Whether that many partial results take up no more memory than twice x and dy. */
function hasRoom({ b, x, dy, window, group }: WeightGradient, parts: number): boolean {
  const weights = (b.dims(dy)[1]! * b.dims(x)[1]! * sizeOf(window.kernel)) / group;
  return parts * weights <= 2 * (sizeOf(b.dims(x)) + sizeOf(b.dims(dy)));
}

/** The value seen as [a, b, c, d], as [a, c, b, d]. */
function swapMiddle(b: GraphBuilder, value: string, dims: readonly [number, number, number, number]): string {
  const seen = b.op('Reshape', [value, b.ints(dims)]);
  return dims[1] === 1 || dims[2] === 1 ? seen : b.op('Transpose', [seen], { perm: [0, 2, 1, 3] });
}

const swapFirst = (b: GraphBuilder, value: string): string =>
  b.op('Transpose', [value], { perm: b.dims(value).map((_, i) => (i < 2 ? 1 - i : i)) });
