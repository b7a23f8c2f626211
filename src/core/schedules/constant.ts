import Type from 'typebox';
import { type Schedule, warmed, warmup } from './schedule.ts';

const options = Type.Object({ warmup: warmup(0) }, { additionalProperties: false });

/** The base learning rate throughout, after the warm-up. */
export const constant: Schedule<typeof options> = {
  name: 'constant',
  summary: 'The base learning rate throughout',
  options,
  learningRate: (step, context, given) => warmed(step, context, given.warmup, () => 1),
};
