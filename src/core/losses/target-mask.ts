import type { GraphBuilder } from '../onnx/builder.ts';

/**
 * True at one class per row, [B, C]: the label's largest, the first of equals; in rows without a label, or without
 * labels at all, the teacher's choice. Made of comparisons, which both kernels and CUDA have where they lack OneHot.
 */
export function targetMask(b: GraphBuilder, teacherLogits: string, labels?: string): string {
  if (labels === undefined) return largest(b, teacherLogits);
  return largest(b, b.op('Where', [labelled(b, labels), labels, teacherLogits]));
}

/** True at the largest value of each row, the first of equals: [B, C]. */
export function largest(b: GraphBuilder, scores: string): string {
  const [, classes] = b.dims(scores) as [number, number];
  const first = b.op('ArgMax', [scores], { axis: 1 });
  return b.op('Equal', [first, b.ints(Array.from({ length: classes }, (_, c) => c))]);
}

/** True in rows with a label, [B, 1]: those that are not all zero. */
export const labelled = (b: GraphBuilder, labels: string): string =>
  b.op('Greater', [b.op('ReduceL1', [labels, b.ints([1])]), b.constant(0)]);

/** Plain-number twin of `targetMask` for one row: the class. */
export function targetOf(teacher: readonly number[], label?: readonly number[]): number {
  const scores = label?.some((y) => y !== 0) ? label : teacher;
  return scores.indexOf(Math.max(...scores));
}
