import { intsAttribute, stringAttribute } from '../attributes.ts';
import type { Dim } from '../model.ts';
import { misfit } from './context.ts';
import { isKnown } from './dims.ts';
import type { InferContext } from './op.ts';

/** Sliding windows (convolutions and pools): attributes with their defaults, and output sizes. */

export interface Window {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All begins, then all ends. Not meaningful where autoPad is SAME_*. */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

/** Reads window attributes for `rank` spatial axes. */
export function windowOf(c: InferContext, kernel: readonly Dim[]): Window {
  const rank = kernel.length;
  const list = (name: string, length: number, fallback: number): number[] => {
    const value = intsAttribute(c.node, name) ?? new Array<number>(length).fill(fallback);
    return value.length === length
      ? value
      : misfit(c, `attribute ${name} has ${value.length} entries, but ${length} are needed`);
  };
  return {
    kernel,
    strides: list('strides', rank, 1),
    dilations: list('dilations', rank, 1),
    pads: list('pads', 2 * rank, 0),
    autoPad: stringAttribute(c.node, 'auto_pad', 'NOTSET') || 'NOTSET',
  };
}

/**
 * Output size along one axis: floor or ceil of (in + pads - ((k - 1) d + 1)) / s, plus 1. In ceil mode a last window
 * that would start in the end padding is dropped, as onnxruntime does for every version.
 */
export function windowOutput(c: InferContext, size: Dim, w: Window, axis: number, ceil = false): Dim {
  const kernel = w.kernel[axis]!;
  const stride = w.strides[axis]!;
  if (!isKnown(size)) {
    const same = w.autoPad.startsWith('SAME') && stride === 1;
    return same || keepsSize(w, axis) ? size : '';
  }
  if (w.autoPad.startsWith('SAME')) return Math.ceil(size / stride);
  if (!isKnown(kernel)) return '';
  const begin = w.autoPad === 'VALID' ? 0 : w.pads[axis]!;
  const end = w.autoPad === 'VALID' ? 0 : w.pads[axis + w.kernel.length]!;
  const reach = (kernel - 1) * w.dilations[axis]! + 1;
  const room = size + begin + end - reach;
  if (room < 0)
    misfit(c, `a window of ${reach} does not fit into size ${size} with padding ${begin} + ${end}`);
  if (!ceil) return Math.floor(room / stride) + 1;
  const out = Math.ceil(room / stride) + 1;
  return (out - 1) * stride >= size + begin ? out - 1 : out;
}

/** Whether a symbolic size passes unchanged: stride 1 and padding that makes up for the window. */
function keepsSize(w: Window, axis: number): boolean {
  const kernel = w.kernel[axis]!;
  if (!isKnown(kernel) || w.strides[axis] !== 1) return false;
  const padding = w.autoPad === 'VALID' ? 0 : w.pads[axis]! + w.pads[axis + w.kernel.length]!;
  return padding === (kernel - 1) * w.dilations[axis]!;
}
