import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { LossContext, LossNumbers } from './loss.ts';
import { meanOfRows } from './means.ts';

/**
 * Shared by losses on softened logits: z / T, or Z(z) / T with logit standardisation
 * Z(z) = (z - mean(z)) / (std(z) + 1e-7) over classes, unbiased std (Sun et al., "Logit Standardization in Knowledge
 * Distillation", CVPR 2024, arXiv 2403.01427). Z ignores any shift and scale of the logits.
 * With two classes Z keeps nothing but the argmax, so it is refused there (`Loss.refusesPairs`).
 */
const STANDARDIZATION_EPSILON = 1e-7;

/** The option of every loss on softened logits. */
export const standardizeOption = Type.Boolean({
  default: false,
  description: 'standardise both logits first',
});

/** Why standardised logits say nothing of two classes: they are always +-0.7. */
export const refusesStandardizedPairs = ({ standardize }: { readonly standardize: boolean }) =>
  standardize ? 'standardises logits, which with two classes leaves only their order' : undefined;

/** [B, C] logits to [B, C] logits divided by the temperature, standardised first where asked. */
export function softened(b: GraphBuilder, logits: string, temperature: string, standardize: boolean): string {
  return b.op('Div', [standardize ? standardized(b, logits) : logits, temperature]);
}

/** ln softmax of the softened logits of student and teacher, [B, C] each: never the log of a softmax. */
export function logSoftened(
  { b, studentLogits, teacherLogits, temperature }: LossContext,
  standardize: boolean,
): { readonly student: string; readonly teacher: string; readonly temperature: string } {
  invariant(teacherLogits && temperature, 'softened logits need a teacher and a temperature');
  const ln = (logits: string) =>
    b.op('LogSoftmax', [softened(b, logits, temperature, standardize)], { axis: 1 });
  return { student: ln(studentLogits), teacher: ln(teacherLogits), temperature };
}

function standardized(b: GraphBuilder, logits: string): string {
  const [, classes] = b.dims(logits) as [number, number];
  const axis = b.ints([1]);
  const centred = b.op('Sub', [logits, b.op('ReduceMean', [logits, axis])]);
  const squares = b.op('ReduceSum', [b.op('Mul', [centred, centred]), axis]);
  // Inside the root 1e-30 keeps the gradient finite for a row of equal logits; it is far below any real variance.
  const variance = b.op('Add', [b.op('Div', [squares, b.constant(classes - 1)]), b.constant(1e-30)]);
  const deviation = b.op('Add', [b.op('Sqrt', [variance]), b.constant(STANDARDIZATION_EPSILON)]);
  return b.op('Div', [centred, deviation]);
}

/** Plain-number twin of `softened` for one row. */
export function softenedRow(row: readonly number[], temperature: number, standardize: boolean): number[] {
  if (!standardize) return row.map((z) => z / temperature);
  const mean = row.reduce((sum, z) => sum + z, 0) / row.length;
  const variance = row.reduce((sum, z) => sum + (z - mean) ** 2, 0) / (row.length - 1);
  return row.map((z) => (z - mean) / (Math.sqrt(variance) + STANDARDIZATION_EPSILON) / temperature);
}

/** Plain-number twin of `logSoftened`: the mean over rows of a number made from ln p_s, ln p_t and the label. */
export function meanOfSoftened(
  numbers: LossNumbers,
  standardize: boolean,
  of: (student: number[], teacher: number[], label: readonly number[]) => number,
): number {
  const ln = (row: readonly number[]) => logSoftmaxRow(softenedRow(row, numbers.temperature, standardize));
  return meanOfRows(numbers, (student, teacher, label) => of(ln(student), ln(teacher), label));
}

/** ln sum e^z of one row, in double precision, by the shifted sum. */
export function logSumExpRow(row: readonly number[]): number {
  const top = Math.max(...row);
  return Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0)) + top;
}

/** log softmax of one row, in double precision. */
export function logSoftmaxRow(row: readonly number[]): number[] {
  const total = logSumExpRow(row);
  return row.map((z) => z - total);
}
