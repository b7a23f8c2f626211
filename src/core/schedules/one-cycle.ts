import Type from 'typebox';
import { cosineBetween, lineBetween, type Schedule, type ScheduleContext, warmup } from './schedule.ts';

const options = Type.Object(
  {
    warmup: warmup(0.3),
    rise: Type.Union([Type.Literal('cosine'), Type.Literal('linear')], {
      default: 'cosine',
      description: 'Shape of the warm-up; the way down is a cosine.',
    }),
    startDivisor: Type.Number({ default: 25, minimum: 1, description: 'The first rate is base / this.' }),
    endDivisor: Type.Number({ default: 1e4, minimum: 1, description: 'The last rate is first / this.' }),
    cycleMomentum: Type.Boolean({
      default: true,
      description: 'Whether momentum moves opposite to the rate.',
    }),
    highMomentum: Type.Number({ default: 0.95, minimum: 0, exclusiveMaximum: 1 }),
    lowMomentum: Type.Number({ default: 0.85, minimum: 0, exclusiveMaximum: 1 }),
  },
  { additionalProperties: false },
);

/** Piecewise path `edge` -> `peak` over the warm-up, `peak` -> `end` after it; the last step is exactly `end`. */
function cycle(
  step: number,
  { totalSteps }: ScheduleContext,
  given: { readonly warmup: number; readonly rise: 'cosine' | 'linear' },
  [edge, peak, end]: readonly [number, number, number],
): number {
  const top = given.warmup * totalSteps - 1;
  const last = totalSteps - 1;
  if (step <= top && top > 0) {
    return (given.rise === 'cosine' ? cosineBetween : lineBetween)(edge, peak, step / top);
  }
  const from = Math.max(top, 0);
  return cosineBetween(peak, end, last > from ? (step - from) / (last - from) : 0);
}

/**
 * One cycle: the rate rises to the base rate, then falls far below where it began; momentum moves the other way.
 * Equal to PyTorch's OneCycleLR(max_lr = base, pct_start = warmup, cos) step by step.
 * Smith, Topin 2018, "Super-Convergence", arXiv:1708.07120.
 */
export const oneCycle: Schedule<typeof options> = {
  name: 'one-cycle',
  summary: 'Warm-up to the base rate, cosine far down, momentum cycled the other way',
  citation: 'Smith, Topin 2018, Super-Convergence: Very Fast Training of Neural Networks, arXiv:1708.07120',
  options,
  learningRate: (step, context, given) => {
    const first = 1 / given.startDivisor;
    return cycle(step, context, given, [first, 1, first / given.endDivisor]);
  },
  momentum: (step, context, given) =>
    given.cycleMomentum
      ? cycle(step, context, given, [given.highMomentum, given.lowMomentum, given.highMomentum])
      : undefined,
};
