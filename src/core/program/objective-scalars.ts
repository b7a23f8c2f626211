import { curveAt } from '../schedules/curve.ts';
import { metricName, type ObjectiveTerm, scalarName } from './build-program.ts';

/**
 * What a Chunk's `scalars` hold for the objective, steps [first, first + steps): the weight and the temperature of every
 * term that has a schedule for it. Each value depends on its step alone, so chunks and resumptions cannot change it.
 */
export function objectiveScalars(
  terms: readonly ObjectiveTerm[],
  totalSteps: number,
  first: number,
  steps: number,
): Record<string, Float32Array> {
  const result: Record<string, Float32Array> = {};
  for (const [i, { weight, schedule }] of terms.entries()) {
    for (const [what, factor] of [
      ['weight', weight],
      ['temperature', 1],
      ['reversal', 1],
    ] as const) {
      const curve = schedule?.[what];
      if (!curve) continue;
      result[scalarName(metricName(terms, i), what)] = Float32Array.from(
        { length: steps },
        (_, k) => factor * curveAt(curve, first + k, totalSteps),
      );
    }
  }
  return result;
}
