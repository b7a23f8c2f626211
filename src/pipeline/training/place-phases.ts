import type { Phase } from '../../core/strategies/phase.ts';
import { phaseLengths } from '../../core/strategies/phase-lengths.ts';
import { stepsPerEpoch } from '../../data/order.ts';
import type { ResolvedTrain } from '../../spec/resolved-spec.ts';

/** A phase with its place in the run. */
export interface PlacedPhase extends Phase {
  readonly index: number;
  readonly steps: number;
  /**
   * Step of the stream of batches at which it begins: behind the phase it goes on from, so that no row and no augmented
   * view is shown twice; 0 for initial weights.
   */
  readonly start: number;
  /** Its place in its schedule, that of all phases which continue one another: steps in front of it, and in all. */
  readonly schedule: { readonly first: number; readonly steps: number };
  /** Index of the first of those phases. */
  readonly root: number;
  /** Steps of all phases in front of it, as planned. */
  readonly before: number;
}

/** Lengths and places of the phases: whole epochs where the length is given in epochs, at least one. */
export function placePhases(
  phases: readonly Phase[],
  { length, batchSize }: Pick<ResolvedTrain, 'length' | 'batchSize'>,
  trainRows: number,
): readonly PlacedPhase[] {
  const [whole, unit] =
    'steps' in length ? [length.steps, 1] : [length.epochs, stepsPerEpoch(trainRows, batchSize)];
  const lengths = phaseLengths(phases, whole);
  const placed: PlacedPhase[] = [];
  let before = 0;
  for (const [index, phase] of phases.entries()) {
    const source = placed.find(({ name }) => name === phase.from);
    const length = lengths.get(phase.name)!;
    const [start, steps] = [length.start * unit, length.count * unit];
    const continued = phase.continues ? source : undefined;
    const first = continued ? continued.schedule.first + continued.steps : 0;
    const schedule = { first, steps: first + steps };
    placed.push({ ...phase, index, root: continued?.root ?? index, steps, start, schedule, before });
    before += steps;
  }
  return placed.map((phase) => {
    const last = placed.findLast(({ root }) => root === phase.root)!;
    return { ...phase, schedule: { ...phase.schedule, steps: last.schedule.steps } };
  });
}
