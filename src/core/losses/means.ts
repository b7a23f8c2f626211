import type { GraphBuilder } from '../onnx/builder.ts';
import type { LossNumbers } from './loss.ts';

/** Sum of all elements of a [B, ...] value divided by B: the mean over the batch of sums over the rest. */
export function batchMean(b: GraphBuilder, perElement: string): string {
  const [batch] = b.dims(perElement) as [number];
  return b.op('Div', [batchSum(b, perElement), b.constant(batch)]);
}

/** Sum of all elements: a scalar. */
export const batchSum = (b: GraphBuilder, perElement: string): string =>
  b.op('ReduceSum', [perElement], { keepdims: 0 });

/** [B, C] to [B, 1]: sums over classes. */
export const rowSums = (b: GraphBuilder, perElement: string): string =>
  b.op('ReduceSum', [perElement, b.ints([1])], { keepdims: 1 });

/** Value times the square of the temperature, which keeps gradients of softened logits comparable across temperatures. */
export const timesSquared = (b: GraphBuilder, value: string, temperature: string): string =>
  b.op('Mul', [value, b.op('Mul', [temperature, temperature])]);

type Row = readonly number[];

/** The mean over the batch of a number made from each row, for references. */
export function meanOfRows(
  { studentLogits, teacherLogits, labels }: LossNumbers,
  of: (student: Row, teacher: Row, label: Row) => number,
): number {
  const rows = studentLogits.map((student, i) => of(student, teacherLogits[i]!, labels[i]!));
  return rows.reduce((sum, row) => sum + row, 0) / rows.length;
}
