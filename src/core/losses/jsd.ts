import Type from 'typebox';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, timesSquared } from './means.ts';
import { logSoftened, meanOfSoftened, refusesStandardizedPairs, standardizeOption } from './softened.ts';

const options = Type.Object(
  {
    beta: Type.Number({
      default: 0.5,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: "the teacher's share of the mixture",
    }),
    standardize: standardizeOption,
  },
  { additionalProperties: false },
);

/**
 * Generalised Jensen-Shannon divergence: p = softmax(z / T), m = beta p_t + (1 - beta) p_s,
 * L = T^2 / B * sum_b (beta KL(p_t || m) + (1 - beta) KL(p_s || m)). Bounded: at most T^2 ln 2 at beta 0.5, where it is
 * symmetric. L / beta tends to `kl` for beta to 0, L / (1 - beta) to `reverse-kl` for beta to 1; at the ends L itself
 * is 0, so they are refused. m is the mixture of probabilities; an early version of TRL mixed their logarithms. T^2 is
 * ours, as in `kl`; GKD's T is 1. ln m = a + softplus(b - a) of the two logarithms, so nothing underflows.
 */
export const jsd: Loss<typeof options> = {
  name: 'jsd',
  summary: 'Jensen-Shannon divergence of the softened teacher and student',
  citation: 'Agarwal et al., "On-Policy Distillation of Language Models", ICLR 2024, arXiv 2306.13649',
  formula: 'T^2 / B * sum (beta KL(p_t || m) + (1 - beta) KL(p_s || m)), m = beta p_t + (1 - beta) p_s',
  needs: ['teacher-logits'],
  options,
  temperature: 4,
  refusesPairs: refusesStandardizedPairs,
  build(context, { beta, standardize }) {
    const { b } = context;
    const { student, teacher, temperature } = logSoftened(context, standardize);
    const [fromTeacher, fromStudent] = [
      b.op('Add', [teacher, b.constant(Math.log(beta))]),
      b.op('Add', [student, b.constant(Math.log1p(-beta))]),
    ];
    const excess = b.op('Softplus', [b.op('Sub', [fromStudent, fromTeacher])]);
    const mixture = b.op('Add', [fromTeacher, excess]);
    const part = (ln: string, weight: number) =>
      b.op('Mul', [batchMean(b, divergence(b, ln, mixture)), b.constant(weight)]);
    return timesSquared(b, b.op('Add', [part(teacher, beta), part(student, 1 - beta)]), temperature);
  },
  reference(numbers, { beta, standardize }) {
    const mean = meanOfSoftened(numbers, standardize, (student, teacher) => {
      const mixture = student.map((s, c) =>
        Math.log(beta * Math.exp(teacher[c]!) + (1 - beta) * Math.exp(s)),
      );
      return beta * divergenceRow(teacher, mixture) + (1 - beta) * divergenceRow(student, mixture);
    });
    return numbers.temperature ** 2 * mean;
  },
};
