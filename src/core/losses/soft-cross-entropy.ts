import Type from 'typebox';
import type { Loss } from './loss.ts';
import { batchMean, timesSquared } from './means.ts';
import { logSoftened, meanOfSoftened, refusesStandardizedPairs, standardizeOption } from './softened.ts';

const options = Type.Object({ standardize: standardizeOption }, { additionalProperties: false });

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
  refusesPairs: refusesStandardizedPairs,
  build(context, { standardize }) {
    const { b } = context;
    const { student, teacher, temperature } = logSoftened(context, standardize);
    const cross = batchMean(b, b.op('Mul', [b.op('Exp', [teacher]), student]));
    return b.op('Neg', [timesSquared(b, cross, temperature)]);
  },
  reference(numbers, { standardize }) {
    const cross = meanOfSoftened(numbers, standardize, (student, teacher) =>
      teacher.reduce((sum, t, c) => sum + Math.exp(t) * student[c]!, 0),
    );
    return -(numbers.temperature ** 2) * cross;
  },
};
