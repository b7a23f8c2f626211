import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows, rowSums } from './means.ts';
import { logSoftmaxRow } from './softened.ts';

const options = Type.Object(
  {
    weighted: Type.Boolean({
      default: true,
      description: "weight every row by its power sum; without, it is the paper's TTM",
    }),
  },
  { additionalProperties: false },
);

/**
 * Weighted transformed teacher matching: the teacher alone is softened, the student learns it at temperature 1.
 * p = softmax(z_t), U = sum_c p^(1/T) in [1, C^(1-1/T)], p^ = p^(1/T) / U = softmax(z_t / T), q = softmax(z_s):
 * L = 1 / B * sum_b U KL(p^ || q). At T = 1 it is `kl` at temperature 1.
 *
 * No T^2, since the student is not softened: the gradient is U / B (q - p^). Published besides cross-entropy of weight
 * 1: T 4 and a weight of lambda / (1 - lambda) * T, divided by the mean of U over the training set (36 / mean U for
 * lambda 0.9); that mean is the data's, so it belongs into the term's weight and is not divided by here.
 */
export const wttm: Loss<typeof options> = {
  name: 'wttm',
  summary: 'the student at temperature 1 learns the softened teacher, flat rows weighing more',
  citation:
    'Zheng, Yang, "Knowledge Distillation Based on Transformed Teacher Matching", ICLR 2024, arXiv 2402.11148',
  formula: '1 / B * sum U KL(softmax(z_t / T) || softmax(z_s)), U = sum p_t^(1/T)',
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  build({ b, studentLogits, teacherLogits, temperature }, { weighted }) {
    invariant(teacherLogits && temperature, 'wttm needs teacher logits and a temperature');
    const student = b.op('LogSoftmax', [studentLogits], { axis: 1 });
    const powers = b.op('Div', [b.op('LogSoftmax', [teacherLogits], { axis: 1 }), temperature]);
    const lnSum = b.op('ReduceLogSumExp', [powers, b.ints([1])]);
    const rows = rowSums(b, divergence(b, b.op('Sub', [powers, lnSum]), student));
    return batchMean(b, weighted ? b.op('Mul', [b.op('Exp', [lnSum]), rows]) : rows);
  },
  reference(numbers, { weighted }) {
    return meanOfRows(numbers, (student, teacher) => {
      const powers = logSoftmaxRow(teacher).map((ln) => Math.exp(ln) ** (1 / numbers.temperature));
      const sum = powers.reduce((total, power) => total + power, 0);
      const transformed = powers.map((power) => Math.log(power / sum));
      return (weighted ? sum : 1) * divergenceRow(transformed, logSoftmaxRow(student));
    });
  },
};
