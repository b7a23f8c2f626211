import Type from 'typebox';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, timesSquared } from './means.ts';
import { logSoftened, meanOfSoftened, refusesStandardizedPairs, standardizeOption } from './softened.ts';

const options = Type.Object({ standardize: standardizeOption }, { additionalProperties: false });

/**
 * `kl` with the roles swapped: L = T^2 / B * sum_b sum_c p_s (ln p_s - ln p_t), p = softmax(z / T). It drives the
 * student away from where the teacher has no mass, so a small student keeps to the teacher's largest classes instead of
 * covering all. T^2 as in `kl`; the language-model work it comes from has T = 1, where it makes no difference.
 */
export const reverseKl: Loss<typeof options> = {
  name: 'reverse-kl',
  summary: 'Kullback-Leibler divergence from the softened student to the softened teacher',
  citation:
    'Gu et al., "MiniLLM: Knowledge Distillation of Large Language Models", ICLR 2024, arXiv 2306.08543',
  formula: 'T^2 / B * sum p_s (ln p_s - ln p_t), p = softmax(z / T)',
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  refusesPairs: refusesStandardizedPairs,
  build(context, { standardize }) {
    const { b } = context;
    const { student, teacher, temperature } = logSoftened(context, standardize);
    return timesSquared(b, batchMean(b, divergence(b, student, teacher)), temperature);
  },
  reference(numbers, { standardize }) {
    return numbers.temperature ** 2 * meanOfSoftened(numbers, standardize, divergenceRow);
  },
};
