import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';

/**
 * Zeros of shape `dims` with `updates` added at flat element positions (int64, as many as updates); a position that
 * comes again accumulates. One flat ScatterElements: ScatterND with reduction add would be faster, but onnxruntime 1.30
 * lets its threads collide on repeated indices on CPUs (sums come out wrong); an N-dimensional ScatterElements is
 * 2 to 9 times slower than the flat one (4,096 rows of 384).
 */
export function scatterAdd(
  b: GraphBuilder,
  dims: readonly number[],
  positions: string,
  updates: string,
): string {
  const flat = (value: string) => b.op('Reshape', [value, b.ints([sizeOf(b.dims(value))])]);
  const zeros = b.op('Expand', [b.constant(0, b.dtype(updates)), b.ints([sizeOf(dims)])]);
  const inputs = [zeros, flat(positions), flat(updates)];
  const sum = b.op('ScatterElements', inputs, { axis: 0, reduction: 'add' });
  return b.op('Reshape', [sum, b.ints(dims)]);
}

/** 0, step, 2 step, ... (`count` numbers, int64) laid along one of `rank` axes. */
export function steps(b: GraphBuilder, count: number, step: number, axis: number, rank: number): string {
  const range = [0, count * step, step].map((value) => b.constant(value, 'int64'));
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? count : 1));
  return b.op('Reshape', [b.op('Range', range), b.ints(shape)]);
}

/** Indices with negative ones, which count from the end, made positive. */
export function fromStart(b: GraphBuilder, indices: string, length: string): string {
  const negative = b.op('Less', [indices, b.constant(0, 'int64')]);
  return b.op('Where', [negative, b.op('Add', [indices, length]), indices]);
}
