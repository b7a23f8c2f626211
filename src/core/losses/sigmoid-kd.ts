import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows, timesSquared } from './means.ts';
import { softened } from './softened.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Distillation of several labels per row: every class is a yes or no of its own, p = sigmoid(z / T).
 * L = T^2 / (B C) * sum_b sum_c (p_t ln(p_t / p_s) + (1 - p_t) ln((1 - p_t) / (1 - p_s))).
 * Binary cross-entropy less the teacher's entropy, a constant: same gradient, T / (B C) (p_s - p_t), and 0 where the
 * student equals the teacher. The paper's logit term sums over classes; here it is divided by C as binary cross-entropy
 * is (PyTorch's `BCEWithLogitsLoss`), so that a weight does not depend on how many labels there are. T 1 as in the
 * paper; T^2 is ours, as in `kl`. ln p = -softplus(-z / T), never the log of a sigmoid.
 */
export const sigmoidKd: Loss<typeof options> = {
  name: 'sigmoid-kd',
  summary: 'divergence of sigmoids, class by class, for several labels per row',
  citation: 'Yang et al., "Multi-Label Knowledge Distillation", ICCV 2023, arXiv 2308.06453',
  formula: 'T^2 / (B C) * sum KL of Bernoulli(p_t) from Bernoulli(p_s), p = sigmoid(z / T)',
  needs: ['teacher-logits'],
  takesScores: 'one by one',
  options,
  temperature: 1,
  build({ b, studentLogits, teacherLogits, temperature }) {
    invariant(teacherLogits && temperature, 'sigmoid-kd needs teacher logits and a temperature');
    const [, classes] = b.dims(studentLogits) as [number, number];
    const negated = (value: string) => b.op('Neg', [value]);
    const both = (logits: string) => {
      const z = softened(b, logits, temperature, false);
      return { yes: negated(b.op('Softplus', [negated(z)])), no: negated(b.op('Softplus', [z])) };
    };
    const [s, t] = [both(studentLogits), both(teacherLogits)];
    const perClass = b.op('Add', [divergence(b, t.yes, s.yes), divergence(b, t.no, s.no)]);
    return timesSquared(b, b.op('Div', [batchMean(b, perClass), b.constant(classes)]), temperature);
  },
  reference(numbers) {
    const { temperature } = numbers;
    const both = (z: number) => [z, -z].map((v) => -Math.log1p(Math.exp(-v / temperature)));
    const mean = meanOfRows(
      numbers,
      (student, teacher) =>
        student.reduce((sum, z, c) => sum + divergenceRow(both(teacher[c]!), both(z)), 0) / student.length,
    );
    return temperature ** 2 * mean;
  },
};
