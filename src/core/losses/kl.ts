import Type from 'typebox';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, timesSquared } from './means.ts';
import { logSoftened, meanOfSoftened, refusesStandardizedPairs, standardizeOption } from './softened.ts';

const options = Type.Object({ standardize: standardizeOption }, { additionalProperties: false });

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
  // Standardised scores are small: the paper that brings them takes ten times as much.
  publishedWeight: ({ standardize }) => (standardize ? 9 : 0.9),
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  refusesPairs: refusesStandardizedPairs,
  build(context, { standardize }) {
    const { student, teacher, temperature } = logSoftened(context, standardize);
    return timesSquared(
      context.b,
      batchMean(context.b, divergence(context.b, teacher, student)),
      temperature,
    );
  },
  reference(numbers, { standardize }) {
    const mean = meanOfSoftened(numbers, standardize, (student, teacher) => divergenceRow(teacher, student));
    return numbers.temperature ** 2 * mean;
  },
};
