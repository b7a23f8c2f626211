import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows } from './means.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Squared difference of raw logits: L = 1 / (B C) * sum_b sum_c (z_s - z_t)^2. Up to centring and a factor it is the
 * limit of `kl` for T to infinity (Hinton et al. 2015, section 2.1).
 */
export const logitMse: Loss<typeof options> = {
  name: 'logit-mse',
  summary: 'mean squared difference of student and teacher logits',
  citation: 'Ba, Caruana, "Do Deep Nets Really Need to be Deep?", 2014, arXiv 1312.6184',
  formula: '1 / (B C) * sum (z_s - z_t)^2',
  needs: ['teacher-logits'],
  options,
  build({ b, studentLogits, teacherLogits }) {
    invariant(teacherLogits, 'logit-mse needs teacher logits');
    const [, classes] = b.dims(studentLogits) as [number, number];
    const difference = b.op('Sub', [studentLogits, teacherLogits]);
    return b.op('Div', [batchMean(b, b.op('Mul', [difference, difference])), b.constant(classes)]);
  },
  reference(numbers) {
    return meanOfRows(
      numbers,
      (student, teacher) => student.reduce((sum, z, c) => sum + (z - teacher[c]!) ** 2, 0) / student.length,
    );
  },
};
