import Type from 'typebox';
import { cosineBetween, type Schedule, warmed, warmup } from './schedule.ts';

const options = Type.Object(
  {
    warmup: warmup(0),
    final: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 1,
      description: 'Multiplier the rate would reach one step after the last.',
    }),
  },
  { additionalProperties: false },
);

/** Half a cosine from the base rate down to `final` times it. Loshchilov, Hutter 2017, SGDR, arXiv:1608.03983, eq. 5. */
export const cosine: Schedule<typeof options> = {
  name: 'cosine',
  summary: 'Half a cosine from the base rate down',
  citation: 'Loshchilov, Hutter 2017, SGDR: Stochastic Gradient Descent with Warm Restarts, arXiv:1608.03983',
  options,
  learningRate: (step, context, given) =>
    warmed(step, context, given.warmup, (progress) => cosineBetween(1, given.final, progress)),
};
