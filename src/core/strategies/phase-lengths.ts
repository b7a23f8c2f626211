import type { Phase } from './phase.ts';

/** A phase in whole epochs or steps, whichever its length is counted in. */
export interface PhaseLength {
  /** Of the phases in front of it that it goes on from. */
  readonly start: number;
  /** At least one. */
  readonly count: number;
  /** Where the shares up to it end. Less than `start + count` where the phases are too many for the length. */
  readonly end: number;
}

/**
 * Lengths of phases by name, `whole` being that of a share of 1. Those that go on from one another are rounded together, so
 * that shares that add up to 1 make no more than one phase would.
 */
export function phaseLengths(
  phases: readonly Pick<Phase, 'name' | 'share' | 'from'>[],
  whole: number,
): ReadonlyMap<string, PhaseLength> {
  const lengths = new Map<string, PhaseLength & { readonly share: number }>();
  for (const { name, from, share: own } of phases) {
    const source = from === undefined ? undefined : lengths.get(from);
    const share = own + (source?.share ?? 0);
    const start = source ? source.start + source.count : 0;
    // The sum of ten tenths is a little less than 1.
    const end = Math.round(Number((whole * share).toPrecision(12)));
    lengths.set(name, { start, count: Math.max(1, end - start), end, share });
  }
  return lengths;
}
