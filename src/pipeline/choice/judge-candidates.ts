import type { Candidate } from '../../spec/auto-candidates.ts';
import { compareHits, type Difference, isBeyond, scoreOf } from './compare-hits.ts';

/** A candidate after its training. */
export interface Trial {
  readonly candidate: Candidate;
  /** By validation row: 1 where it was right (or agreed with the teacher), else 0; undefined where it failed. */
  readonly hits?: Uint8Array;
  /** Why it could not be trained. */
  readonly failure?: string;
}

/** One that could be trained. */
export type Able = Trial & { readonly hits: Uint8Array };

/** What a round of trials, all of one length, has found; undefined is what could not be trained or was not in it. */
export interface Judgement {
  readonly trials: readonly Trial[];
  /** How far two trainings of plain KD came apart that differ in their seed; null where that is not known. */
  readonly seedSpread: number | null;
  readonly plain: Able | undefined;
  /** The better of plain and standardised KD. */
  readonly safe: Able | undefined;
  /** The safe one, or the fancier loss in its place. */
  readonly distilled: Able | undefined;
  readonly control: Able | undefined;
  /** Undefined where all have failed. */
  readonly chosen: Able | undefined;
  compare(one: Able, other: Able): Difference;
}

/**
 * The rule of a round (docs/adr/0011). Plain KD or its standardised form, whichever is better; a fancier loss in its place
 * only where it wins by more than noise; the labels alone only where they win by more than noise. The seeds' part of the
 * noise is that of the round itself, or of an earlier one that has tried two of them; while it is not known nothing takes
 * the place of a safe one, and without a safe one the rows alone decide, for one has to be taken.
 */
export function judgeCandidates(
  trials: readonly Trial[],
  seedSpread: number | null = spreadOf(trials),
): Judgement {
  const able = trials.filter(isAble).filter(({ candidate }) => candidate.seed === 0);
  const best = (...roles: readonly string[]): Able | undefined =>
    able
      .filter(({ candidate }) => roles.includes(candidate.role))
      // The first of equals: sorting is stable.
      .sort((a, b) => scoreOf(b.hits) - scoreOf(a.hits))[0];

  const control = best('control');
  const safe = best('plain', 'standardized');
  const compare = (one: Able, other: Able): Difference =>
    compareHits(one.hits, other.hits, seedSpread ?? (safe ? null : 0));
  const rival = best('fancier');
  const isPromoted = safe && rival && isBeyond(compare(rival, safe));
  const distilled = isPromoted ? rival : (safe ?? rival);
  const isAlone = distilled && control && isBeyond(compare(control, distilled));
  const chosen = isAlone ? control : (distilled ?? control);
  return { trials, seedSpread, plain: best('plain'), safe, distilled, control, chosen, compare };
}

const isAble = (trial: Trial): trial is Able => trial.hits !== undefined;

function spreadOf(trials: readonly Trial[]): number | null {
  const [one, other] = trials.filter(({ candidate }) => candidate.role === 'plain').map(({ hits }) => hits);
  return one && other ? Math.abs(scoreOf(one) - scoreOf(other)) : null;
}
