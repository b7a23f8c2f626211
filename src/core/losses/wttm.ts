import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, batchSum, meanOfRows, rowSums } from './means.ts';
import { logSoftmaxRow } from './softened.ts';

const options = Type.Object(
  {
    weighted: Type.Boolean({
      default: true,
      description: "weigh every row by its power sum; without, it is the paper's TTM",
    }),
  },
  { additionalProperties: false },
);

/**
 * Weighted transformed teacher matching: the teacher alone is softened, the student learns it at temperature 1.
 * p = softmax(z_t), U = sum_c p^(1/T) (in [1, C^(1-1/T)] from T 1 up), p^ = p^(1/T) / U = softmax(z_t / T), q = softmax(z_s):
 * L = sum_b U_b KL(p^_b || q_b) / sum_b U_b, the mean over the batch weighted by U. At T = 1 it is `kl` at temperature 1.
 *
 * The paper's code divides by B alone, and its weight by the mean of U over the training set: 36 / mean U besides
 * cross-entropy of weight 1 for lambda 0.9 and T 4, from lambda / (1 - lambda) * T. That mean depends on teacher and data; here
 * the batch's own stands in, so the published weight is 36 everywhere, as it is without `weighted` (TTM). In a batch
 * of one row nothing is weighed. No T^2, since the student is not softened: the gradient is U / sum U (q - p^).
 */
export const wttm: Loss<typeof options> = {
  name: 'wttm',
  summary: 'the student at temperature 1 learns the softened teacher, flat rows weighing more',
  citation:
    'Zheng, Yang, "Knowledge Distillation Based on Transformed Teacher Matching", ICLR 2024, arXiv 2402.11148',
  formula: 'sum_b U_b KL(softmax(z_t / T) || softmax(z_s)) / sum_b U_b, U = sum_c p_t^(1/T)',
  needs: ['teacher-logits'],
  publishedWeight: () => 36,
  options,
  temperature: 4,
  build({ b, studentLogits, teacherLogits, temperature }, { weighted }) {
    invariant(teacherLogits && temperature, 'wttm needs teacher logits and a temperature');
    const student = b.op('LogSoftmax', [studentLogits], { axis: 1 });
    const powers = b.op('Div', [b.op('LogSoftmax', [teacherLogits], { axis: 1 }), temperature]);
    const lnSum = b.op('ReduceLogSumExp', [powers, b.ints([1])]);
    const rows = rowSums(b, divergence(b, b.op('Sub', [powers, lnSum]), student));
    if (!weighted) return batchMean(b, rows);
    // Over the largest of the batch: below T 1 all of them may be too small for float32.
    const largest = b.op('ReduceMax', [lnSum], { keepdims: 0 });
    const powerSums = b.op('Exp', [b.op('Sub', [lnSum, largest])]);
    return b.op('Div', [batchSum(b, b.op('Mul', [powerSums, rows])), batchSum(b, powerSums)]);
  },
  reference(numbers, { weighted }) {
    const { temperature } = numbers;
    const weightOf = (teacher: readonly number[]) =>
      weighted ? logSoftmaxRow(teacher).reduce((sum, ln) => sum + Math.exp(ln / temperature), 0) : 1;
    const weighed = meanOfRows(numbers, (student, teacher) => {
      const transformed = logSoftmaxRow(teacher.map((score) => score / temperature));
      return weightOf(teacher) * divergenceRow(transformed, logSoftmaxRow(student));
    });
    return weighed / meanOfRows(numbers, (_, teacher) => weightOf(teacher));
  },
};
