import Type from 'typebox';
import { type Schedule, warmed, warmup } from './schedule.ts';

const options = Type.Object(
  {
    warmup: warmup(0),
    at: Type.Array(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), {
      default: [0.5, 0.75],
      description: 'Parts of the whole run after which the rate drops.',
    }),
    factor: Type.Number({ default: 0.1, exclusiveMinimum: 0, maximum: 1, description: 'Each drop.' }),
  },
  { additionalProperties: false },
);

/** The base learning rate times `factor` for every point of `at` that lies behind. */
export const step: Schedule<typeof options> = {
  name: 'step',
  summary: 'The rate drops by a factor at given parts of the run',
  options,
  learningRate: (index, context, { warmup: rise, at, factor }) => {
    // A point falls on a whole step, so that rounding of fractions cannot move a drop.
    const drops = at.filter((part) => index >= Math.round(part * context.totalSteps)).length;
    return warmed(index, context, rise, () => factor ** drops);
  },
};
