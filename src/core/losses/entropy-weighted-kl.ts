import Type from 'typebox';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows, rowSums, timesSquared } from './means.ts';
import {
  logSoftened,
  logSoftmaxRow,
  refusesStandardizedPairs,
  softenedRow,
  standardizeOption,
} from './softened.ts';

const options = Type.Object({ standardize: standardizeOption }, { additionalProperties: false });

/**
 * `kl` in which a row weighs what the teacher doubts: L = T^2 / B * sum_b H_b KL(p_t || p_s), p = softmax(z / T),
 * H_b = -sum_c p_t ln p_t in nats, in [0, ln C], of the teacher's logits as they are, standardised or not (standardised
 * ones are all about equally sure). H is not divided by ln C nor by its mean, as in the published code; its temperature
 * there is 4 whatever T is, here it is T, which is 4 by default. Later versions of the paper (EA-KD) multiply the
 * student's entropy in; this is the first.
 */
export const entropyWeightedKl: Loss<typeof options> = {
  name: 'entropy-weighted-kl',
  summary: "Hinton's divergence with every row weighted by the teacher's entropy",
  citation:
    'Su, Tseng, Lee, "Knowledge From the Dark Side: Entropy-Reweighted Knowledge Distillation", 2023, arXiv 2311.13621v1',
  formula: 'T^2 / B * sum_b H(p_t) KL(p_t || p_s), p = softmax(z / T)',
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  refusesPairs: refusesStandardizedPairs,
  build(context, { standardize }) {
    const { b } = context;
    const { student, teacher, temperature } = logSoftened(context, standardize);
    const sure = standardize ? logSoftened(context, false).teacher : teacher;
    const entropy = b.op('Neg', [rowSums(b, b.op('Mul', [b.op('Exp', [sure]), sure]))]);
    const rows = rowSums(b, divergence(b, teacher, student));
    return timesSquared(b, batchMean(b, b.op('Mul', [entropy, rows])), temperature);
  },
  reference(numbers, { standardize }) {
    const { temperature } = numbers;
    const ln = (row: readonly number[], standard: boolean) =>
      logSoftmaxRow(softenedRow(row, temperature, standard));
    const mean = meanOfRows(numbers, (student, teacher) => {
      const entropy = -ln(teacher, false).reduce((sum, t) => sum + Math.exp(t) * t, 0);
      return entropy * divergenceRow(ln(teacher, standardize), ln(student, standardize));
    });
    return temperature ** 2 * mean;
  },
};
