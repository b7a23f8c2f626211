import type { Phase } from '../../core/strategies/phase.ts';
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
  /** Steps of all phases in front of it, as planned. */
  readonly before: number;
}

/**
 * Lengths and places of the phases: whole epochs where the length is given in epochs, at least one. Those that go on from
 * one another are rounded together, so that shares that add up to 1 make no more steps than one phase would.
 */
export function placePhases(
  phases: readonly Phase[],
  { length, batchSize }: Pick<ResolvedTrain, 'length' | 'batchSize'>,
  trainRows: number,
): readonly PlacedPhase[] {
  const [whole, unit] =
    'steps' in length ? [length.steps, 1] : [length.epochs, stepsPerEpoch(trainRows, batchSize)];
  const placed: PlacedPhase[] = [];
  /** By phase: its share with those of all it goes on from. */
  const shares = new Map<string, number>();
  let before = 0;
  for (const [index, phase] of phases.entries()) {
    const source = placed.find(({ name }) => name === phase.from);
    const share = phase.share + (source ? shares.get(source.name)! : 0);
    const start = source ? source.start + source.steps : 0;
    // The sum of ten tenths is a little less than 1.
    const end = Math.round(Number((whole * share).toPrecision(12))) * unit;
    const steps = Math.max(unit, end - start);
    shares.set(phase.name, share);
    placed.push({ ...phase, index, steps, start, before });
    before += steps;
  }
  return placed;
}
