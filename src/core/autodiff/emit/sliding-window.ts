import { intsAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/model.ts';

/**
 * A sliding window with everything resolved, one entry per spatial axis: output position o meets input position
 * o stride + k dilation - begin, for k in [0, kernel).
 */
export interface SlidingWindow {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the input. */
  readonly begins: readonly number[];
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** Cells a dilated kernel spans. */
export const reachOf = (w: SlidingWindow, axis: number): number =>
  (w.kernel[axis]! - 1) * w.dilations[axis]! + 1;

/**
 * Padding after the input at which the last window just fits. Less than the node's own padding where strides do not
 * come out even, below zero where the end of the input is never reached, more in ceil mode.
 */
export const endsOf = (w: SlidingWindow): number[] =>
  w.input.map((size, i) => (w.output[i]! - 1) * w.strides[i]! + reachOf(w, i) - size - w.begins[i]!);

/** The window of a convolution or pool from `input` to `output` spatial sizes. */
export function slidingWindow(
  node: Node,
  kernel: readonly number[],
  input: readonly number[],
  output: readonly number[],
): SlidingWindow {
  const ones = kernel.map(() => 1);
  const window = {
    kernel,
    strides: intsAttribute(node, 'strides', ones),
    dilations: intsAttribute(node, 'dilations', ones),
    input,
    output,
    begins: intsAttribute(node, 'pads') ?? kernel.map(() => 0),
  };
  return { ...window, begins: begins(node, window) };
}

/** The window of a ConvTranspose, seen as the convolution it is the transpose of: from its output to its input. */
export function transposedWindow(
  node: Node,
  kernel: readonly number[],
  from: readonly number[],
  to: readonly number[],
): SlidingWindow {
  const window = slidingWindow(node, kernel, to, from);
  if (!intsAttribute(node, 'output_shape') && !autoPad(node).startsWith('SAME')) return window;
  const extra = intsAttribute(node, 'output_padding') ?? kernel.map(() => 0);
  const upper = autoPad(node) === 'SAME_UPPER';
  const split = kernel.map((_, i) => {
    const total = Math.max(0, (from[i]! - 1) * window.strides[i]! + extra[i]! + reachOf(window, i) - to[i]!);
    return upper ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
  return { ...window, begins: split };
}

const autoPad = (node: Node): string => stringAttribute(node, 'auto_pad', 'NOTSET');

function begins(node: Node, w: SlidingWindow): number[] {
  const mode = autoPad(node);
  if (mode === 'VALID') return w.kernel.map(() => 0);
  if (!mode.startsWith('SAME')) return w.begins.slice(0, w.kernel.length);
  return w.kernel.map((_, i) => {
    const total = Math.max(0, (w.output[i]! - 1) * w.strides[i]! + reachOf(w, i) - w.input[i]!);
    return mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
}

/** All kernel positions, row-major. */
export const positions = (w: SlidingWindow): number[][] =>
  w.kernel.reduce<number[][]>(
    (list, size) => list.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])),
    [[]],
  );

/** x [N, C, ...input] with zeros around it, so that every window lies inside. */
export function padded(b: GraphBuilder, x: string, w: SlidingWindow): string {
  const amounts = (list: readonly number[]) => list.map((pad) => Math.max(0, pad));
  const pads = [0, 0, ...amounts(w.begins), 0, 0, ...amounts(endsOf(w))];
  return pads.every((pad) => pad === 0) ? x : b.op('Pad', [x, b.ints(pads)]);
}

/** What one kernel position meets in a padded x: [N, C, ...output]. */
export function tap(b: GraphBuilder, x: string, w: SlidingWindow, at: readonly number[]): string {
  const starts = at.map((k, i) => k * w.dilations[i]!);
  const stops = starts.map((start, i) => start + (w.output[i]! - 1) * w.strides[i]! + 1);
  const sizes = b.dims(x).slice(2);
  if (sizes.every((size, i) => starts[i] === 0 && size === w.output[i])) return x;
  const axes = at.map((_, i) => i + 2);
  return b.op('Slice', [x, b.ints(starts), b.ints(stops), b.ints(axes), b.ints(w.strides)]);
}
