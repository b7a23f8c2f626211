import { sizeOf } from '../../onnx/tensor.ts';
import type { WeightGradient } from './conv-weight-gradient.ts';
import { convolve } from './convolve.ts';
import type { SlidingWindow } from './sliding-window.ts';

/** Output positions a group should have at least: below, the engine's matrix products are too short to be fast. */
const POSITIONS = 256;

/** Whether `imageGroupsGradient` can state this convolution: channels share the last axis, so it cannot be dilated. */
export const fitsImageGroups = ({ window, group }: WeightGradient): boolean =>
  group === 1 && window.kernel.length <= 2 && (window.kernel.at(-1) === 1 || window.dilations.at(-1) === 1);

/**
 * The weight gradient as one convolution with the roles swapped: dy is the kernel (strides become dilations), a few
 * images are the input channels, and the channels of x are interleaved into the last axis, so that one row of a window
 * is contiguous. Groups of images are the groups of the convolution: what the engine unrolls for one group stays in
 * cache, and groups run in parallel. Their results are added at the end.
 */
export function imageGroupsGradient(g: WeightGradient): string {
  const { b, x, dy, window } = g;
  const [batch, channels] = b.dims(x) as [number, number];
  const filters = b.dims(dy)[1]!;
  const { kernel, strides, dilations, begins, input, output } = window;
  const widen = (sizes: readonly number[]) => [...sizes.slice(0, -1), sizes.at(-1)! * channels];
  const images = imagesPerGroup(g);
  const groups = batch / images;

  const axes = kernel.map((_, i) => i + 2);
  const last = b.op('Transpose', [x], { perm: [0, ...axes, 1] });
  const image = b.op('Reshape', [last, b.ints([1, batch, ...widen(input)])]);
  let filter = dy;
  if (images > 1) {
    const grouped = b.op('Reshape', [dy, b.ints([groups, images, filters, sizeOf(output)])]);
    filter = b.op('Transpose', [grouped], { perm: [0, 2, 1, 3] });
  }
  filter = b.op('Reshape', [filter, b.ints([groups * filters, images, ...output])]);
  const roles: SlidingWindow = {
    kernel: output,
    strides: [...dilations.slice(0, -1), 1],
    dilations: widen(strides),
    begins: widen(begins),
    input: widen(input),
    output: widen(kernel),
  };
  const product = convolve(b, image, filter, roles, groups);
  const parts = b.op('Reshape', [product, b.ints([groups, filters, sizeOf(kernel), channels])]);
  const sum = b.op('ReduceSum', [parts, b.ints([0])], { keepdims: 0 });
  const turned = b.op('Transpose', [sum], { perm: [0, 2, 1] });
  return b.op('Reshape', [turned, b.ints([filters, channels, ...kernel])]);
}

/** The fewest images with enough positions, and whose groups' results together are not much larger than x and dy. */
function imagesPerGroup({ b, x, dy, window }: WeightGradient): number {
  const [batch, channels] = b.dims(x) as [number, number];
  const weights = b.dims(dy)[1]! * channels * sizeOf(window.kernel);
  const room = 2 * (sizeOf(b.dims(x)) + sizeOf(b.dims(dy)));
  for (let images = 1; images < batch; images++) {
    const enough = images * sizeOf(window.output) >= POSITIONS && (batch / images) * weights <= room;
    if (batch % images === 0 && enough) return images;
  }
  return batch;
}
