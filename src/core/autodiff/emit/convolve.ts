import type { GraphBuilder } from '../../onnx/builder.ts';
import { endsOf, reachOf, type SlidingWindow } from './sliding-window.ts';

/** Convolutions by window, where padding may be negative (rows cut off) and sizes come out exactly. */

/** x [N, C, ...input], w [K, C/group, ...kernel] -> [N, K, ...output]. */
export function convolve(
  b: GraphBuilder,
  x: string,
  w: string,
  window: SlidingWindow,
  group: number,
): string {
  const { kernel, strides, dilations, begins } = window;
  const ends = endsOf(window);
  const cropped = crop(
    b,
    x,
    2,
    begins.map((pad) => Math.max(0, -pad)),
    ends.map((pad) => Math.max(0, -pad)),
  );
  const pads = [...begins, ...ends].map((pad) => Math.max(0, pad));
  return b.op('Conv', [cropped, w], { kernel_shape: kernel, strides, dilations, pads, group });
}

/** The transpose of `convolve` in x: y [N, K, ...output], w [K, C/group, ...kernel] -> [N, C, ...input]. */
export function convolveBack(
  b: GraphBuilder,
  y: string,
  w: string,
  window: SlidingWindow,
  group: number,
): string {
  const { kernel, strides, dilations, begins } = window;
  const ends = endsOf(window);
  // CUDA takes no padding that differs by side, and no engine output padding from the stride on. So: as much of both as
  // is allowed; what it leaves over at the begin and the end is cut off, what it lacks at the end no window has reached.
  const pads = begins.map((pad, i) => Math.min(pad, Math.max(0, ends[i]!) + strides[i]! - 1));
  const extra = pads.map((pad, i) => Math.min(strides[i]! - 1, Math.max(0, pad - ends[i]!)));
  const left = pads.map((pad, i) => ends[i]! - (pad - extra[i]!));
  const made = b.op('ConvTranspose', [y, w], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...pads, ...pads],
    output_padding: extra,
    group,
  });
  const cut = crop(
    b,
    made,
    2,
    begins.map((pad, i) => pad - pads[i]!),
    left.map((count) => Math.max(0, count)),
  );
  if (left.every((count) => count >= 0)) return cut;
  const zeros = left.map((count) => Math.max(0, -count));
  return b.op('Pad', [cut, b.ints([0, 0, ...zeros.map(() => 0), 0, 0, ...zeros])]);
}

/**
 * The gradient of a convolution in x. With stride 1 it is itself a convolution, of dy with the kernel mirrored and its
 * channels swapped, which runs faster than ConvTranspose (docs/benchmarks-autodiff.md).
 */
export function convInputGradient(
  b: GraphBuilder,
  dy: string,
  w: string,
  window: SlidingWindow,
  group: number,
): string {
  const { kernel, strides, begins } = window;
  const fits = begins.every((pad, i) => pad <= reachOf(window, i) - 1);
  // So few results per position (the first layer's pictures) leave the convolution's matrix product idle.
  const thin = group === 1 && b.dims(w)[1]! <= 4;
  if (!fits || thin || strides.some((stride) => stride !== 1)) return convolveBack(b, dy, w, window, group);
  const mirrored = mirror(b, swapChannels(b, w, group), kernel);
  const back = {
    ...window,
    input: window.output,
    output: window.input,
    begins: begins.map((pad, i) => reachOf(window, i) - 1 - pad),
  };
  return convolve(b, dy, mirrored, back, group);
}

/** [K, C/group, ...] -> [C, K/group, ...]. */
function swapChannels(b: GraphBuilder, w: string, group: number): string {
  const [filters, perGroup, ...kernel] = b.dims(w) as [number, number, ...number[]];
  const outPerGroup = filters / group;
  if (perGroup === 1 && outPerGroup === 1) return w;
  const axes = kernel.map((_, i) => i);
  if (group === 1) return b.op('Transpose', [w], { perm: [1, 0, ...axes.map((i) => i + 2)] });
  const grouped = b.op('Reshape', [w, b.ints([group, outPerGroup, perGroup, ...kernel])]);
  const swapped = b.op('Transpose', [grouped], { perm: [0, 2, 1, ...axes.map((i) => i + 3)] });
  return b.op('Reshape', [swapped, b.ints([group * perGroup, outPerGroup, ...kernel])]);
}

function mirror(b: GraphBuilder, w: string, kernel: readonly number[]): string {
  const axes = kernel.map((_, i) => i + 2).filter((axis) => kernel[axis - 2]! > 1);
  if (axes.length === 0) return w;
  const all = (value: number) => b.ints(axes.map(() => value));
  return b.op('Slice', [w, all(-1), all(-Number.MAX_SAFE_INTEGER), b.ints(axes), all(-1)]);
}

/** Cuts `begin` and `end` cells off the axes from `first` on. */
export function crop(
  b: GraphBuilder,
  value: string,
  first: number,
  begin: readonly number[],
  end: readonly number[],
): string {
  if ([...begin, ...end].every((count) => count === 0)) return value;
  const dims = b.dims(value);
  return b.op('Slice', [
    value,
    b.ints(begin),
    b.ints(end.map((count, i) => dims[first + i]! - count)),
    b.ints(begin.map((_, i) => first + i)),
  ]);
}
