import type { NumberArray } from '../../src/core/losses/features.ts';
import { sizeOf } from '../../src/core/onnx/tensor.ts';

/** Weights [to, from] over channels, and a bias for each of `to`. */
export interface Adapter {
  readonly weight: readonly (readonly number[])[];
  readonly bias: readonly number[];
}

/**
 * Plain-number twin of align-features, slow and by another way: channels are mapped first, at full size, and lines
 * interpolated by tent functions, so that it also shows that the order does not matter.
 */
export function alignedOf(
  student: NumberArray,
  wanted: readonly number[],
  adapter: Adapter | undefined,
): NumberArray {
  const mapped = adapter ? withChannels(student, adapter) : student;
  if (student.dims.length !== 4) return mapped;
  if (wanted.length === 4) return withSize(mapped, wanted[2]!, wanted[3]!);
  const { dims, data } = withSize(mapped, 1, 1);
  return { dims: dims.slice(0, 2), data };
}

/** out[..., o, ...] = bias[o] + sum over c of weight[o][c] x[..., c, ...]. */
function withChannels({ dims, data }: NumberArray, { weight, bias }: Adapter): NumberArray {
  const axis = dims.length === 4 ? 1 : dims.length - 1;
  const inner = sizeOf(dims.slice(axis + 1));
  const made: number[] = [];
  for (let a = 0; a < sizeOf(dims.slice(0, axis)); a++) {
    for (const [o, row] of weight.entries()) {
      for (let z = 0; z < inner; z++) {
        const at = (c: number): number => data[(a * dims[axis]! + c) * inner + z]!;
        made.push(row.reduce((sum, w, c) => sum + w * at(c), bias[o]!));
      }
    }
  }
  return { dims: dims.map((dim, i) => (i === axis ? bias.length : dim)), data: made };
}

/** A map [B, C, H, W] of another height and width: averages of windows where both are multiples, else interpolated. */
function withSize({ dims, data }: NumberArray, height: number, width: number): NumberArray {
  const [batch, channels, h, w] = dims as [number, number, number, number];
  const isAveraged = h % height === 0 && w % width === 0;
  const made: number[] = [];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const across = pixelShares(j, w, width, isAveraged);
        let sum = 0;
        for (const [y, down] of pixelShares(i, h, height, isAveraged).entries()) {
          for (const [x, share] of across.entries()) sum += down * share * data[(plane * h + y) * w + x]!;
        }
        made.push(sum);
      }
    }
  }
  return { dims: [batch, channels, height, width], data: made };
}

/** The share that each of `from` pixels of a line has in pixel k of `to`. */
export function pixelShares(k: number, from: number, to: number, isAveraged: boolean): number[] {
  const pixels = Array.from({ length: from }, (_, p) => p);
  if (isAveraged) return pixels.map((p) => (Math.floor((p * to) / from) === k ? to / from : 0));
  // Centres lie at halves; beyond the outermost ones a line goes on as it ends.
  const centre = Math.min(from - 1, Math.max(0, ((k + 0.5) * from) / to - 0.5));
  return pixels.map((p) => Math.max(0, 1 - Math.abs(p - centre)));
}
