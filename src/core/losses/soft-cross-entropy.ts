import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { batchMean, logSoftmaxRow, softened, softenedRow } from './softened.ts';

const options = Type.Object(
  { standardize: Type.Boolean({ default: false, description: 'standardise both logits first' }) },
  { additionalProperties: false },
);

/**
 * Cross-entropy against the softened teacher: L = -T^2 / B * sum_b sum_c p_t ln p_s, p = softmax(z / T).
 * It is `kl` plus T^2 times the teacher's entropy, a constant: same gradient, another value.
 */
export const softCrossEntropy: Loss<typeof options> = {
  name: 'soft-cross-entropy',
  summary: 'cross-entropy of the softened student against the softened teacher',
  citation: 'Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv 1503.02531',
  formula: '-T^2 / B * sum p_t ln p_s, p = softmax(z / T)',
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  build({ b, studentLogits, teacherLogits, temperature }, { standardize }) {
    invariant(teacherLogits && temperature, 'soft-cross-entropy needs teacher logits and a temperature');
    const student = b.op('LogSoftmax', [softened(b, studentLogits, temperature, standardize)], { axis: 1 });
    const teacher = b.op('Softmax', [softened(b, teacherLogits, temperature, standardize)], { axis: 1 });
    const cross = batchMean(b, b.op('Mul', [teacher, student]));
    return b.op('Neg', [b.op('Mul', [cross, b.op('Mul', [temperature, temperature])])]);
  },
  reference({ studentLogits, teacherLogits, temperature }, { standardize }) {
    const total = studentLogits.reduce((sum, row, i) => {
      const student = logSoftmaxRow(softenedRow(row, temperature, standardize));
      const teacher = logSoftmaxRow(softenedRow(teacherLogits[i]!, temperature, standardize));
      return sum - teacher.reduce((rowSum, t, c) => rowSum + Math.exp(t) * student[c]!, 0);
    }, 0);
    return (temperature ** 2 * total) / studentLogits.length;
  },
};
