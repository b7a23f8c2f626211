import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { batchMean, logSoftmaxRow, softened, softenedRow } from './softened.ts';

const options = Type.Object(
  { standardize: Type.Boolean({ default: false, description: 'standardise both logits first' }) },
  { additionalProperties: false },
);

/**
 * Hinton's distillation term: L = T^2 / B * sum_b sum_c p_t (ln p_t - ln p_s), p = softmax(z / T).
 * T^2 keeps the size of the gradient, (T / B) (p_s - p_t), comparable across temperatures; B is the batch, the sum over
 * classes is not divided. Natural logarithm (nats). Stable: log-softmax on both sides, never the log of a softmax.
 */
export const kl: Loss<typeof options> = {
  name: 'kl',
  summary: 'Kullback-Leibler divergence from the softened teacher to the softened student',
  citation: 'Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv 1503.02531',
  formula: 'T^2 / B * sum p_t (ln p_t - ln p_s), p = softmax(z / T)',
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  build({ b, studentLogits, teacherLogits, temperature }, { standardize }) {
    invariant(teacherLogits && temperature, 'kl needs teacher logits and a temperature');
    const student = b.op('LogSoftmax', [softened(b, studentLogits, temperature, standardize)], { axis: 1 });
    const teacher = b.op('LogSoftmax', [softened(b, teacherLogits, temperature, standardize)], { axis: 1 });
    const divergence = b.op('Mul', [b.op('Exp', [teacher]), b.op('Sub', [teacher, student])]);
    return b.op('Mul', [batchMean(b, divergence), b.op('Mul', [temperature, temperature])]);
  },
  reference({ studentLogits, teacherLogits, temperature }, { standardize }) {
    const total = studentLogits.reduce((sum, row, i) => {
      const student = logSoftmaxRow(softenedRow(row, temperature, standardize));
      const teacher = logSoftmaxRow(softenedRow(teacherLogits[i]!, temperature, standardize));
      return sum + teacher.reduce((rowSum, t, c) => rowSum + Math.exp(t) * (t - student[c]!), 0);
    }, 0);
    return (temperature ** 2 * total) / studentLogits.length;
  },
};
