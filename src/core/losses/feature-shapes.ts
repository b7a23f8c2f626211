import type { GraphBuilder } from '../onnx/builder.ts';
import { sizeOf } from '../onnx/tensor.ts';
import type { NumberArray } from './features.ts';
import { batchSum } from './means.ts';

/** Added under square roots of norms, so that the gradient is finite where the norm is 0: the root is at least 1e-6. */
export const TINY_SQUARE = 1e-12;

/** [B, ...] to [B, n]. */
export function flat(b: GraphBuilder, x: string): string {
  const [batch, ...rest] = b.dims(x);
  return rest.length === 1 ? x : b.op('Reshape', [x, b.ints([batch!, sizeOf(rest)])]);
}

/** One vector per row [B, C]: the mean over the positions of a map [B, C, H, W] or a sequence [B, L, C]. */
export function pooled(b: GraphBuilder, x: string): string {
  const rank = b.dims(x).length;
  if (rank === 2) return x;
  return b.op('ReduceMean', [x, b.ints(rank === 4 ? [2, 3] : [1])], { keepdims: 0 });
}

/** The axis that holds channels: 1 in maps [B, C, H, W], the last one in sequences [B, L, D] and vectors [B, D]. */
export const channelAxis = (dims: readonly number[]): number => (dims.length === 4 ? 1 : dims.length - 1);

/** x / |x| along an axis, |x| = sqrt(sum x^2 + 1e-12). */
export function unit(b: GraphBuilder, x: string, axis: number): string {
  const square = b.op('ReduceSum', [b.op('Mul', [x, x]), b.ints([axis])]);
  return b.op('Div', [x, b.op('Sqrt', [b.op('Add', [square, b.constant(TINY_SQUARE)])])]);
}

/** Sum of all elements over a number, a scalar. */
export const sumOver = (b: GraphBuilder, x: string, divisor: number): string =>
  b.op('Div', [batchSum(b, x), b.constant(divisor)]);

/** Rows of plain numbers: [B, ...] as B lists. */
export function rowsOf({ dims, data }: NumberArray): number[][] {
  const size = data.length / dims[0]!;
  return Array.from({ length: dims[0]! }, (_, i) => data.slice(i * size, (i + 1) * size));
}

/** Channels of each position, as [B][positions][C]. */
export function positionsOf(array: NumberArray): number[][][] {
  const { dims } = array;
  if (dims.length !== 4) {
    const width = dims.at(-1)!;
    return rowsOf(array).map((row) => rowsOf({ dims: [row.length / width], data: row }));
  }
  const [, channels, height, breadth] = dims as [number, number, number, number];
  const area = height * breadth;
  return rowsOf(array).map((row) =>
    Array.from({ length: area }, (_, p) => Array.from({ length: channels }, (_, c) => row[c * area + p]!)),
  );
}

/** Plain-number twin of `pooled`. */
export const pooledOf = (array: NumberArray): number[][] =>
  positionsOf(array).map((positions) =>
    positions[0]!.map((_, c) => positions.reduce((sum, at) => sum + at[c]!, 0) / positions.length),
  );

/** Plain-number twin of `unit` for one vector. */
export function unitOf(vector: readonly number[]): number[] {
  const norm = Math.sqrt(dot(vector, vector) + TINY_SQUARE);
  return vector.map((value) => value / norm);
}

export const dot = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((sum, value, i) => sum + value * y[i]!, 0);

export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
