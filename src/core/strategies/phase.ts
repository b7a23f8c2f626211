import type { ObjectiveTerm } from '../program/build-program.ts';

/** The job's teacher among the teachers of a phase; where the strategy has an ensemble, all of it. */
export const JOB_TEACHER = 'teacher';

/** One stretch of training: one student learns from some teachers on some terms. Plain data. See docs/adr/0009. */
export interface Phase {
  /** Names it in logs and reports, and for later phases; unlike any other, and not `teacher`. */
  readonly name: string;
  readonly terms: readonly ObjectiveTerm[];
  /** Its steps as a part of `train`'s length. Shares need not add up to 1. */
  readonly share: number;
  /** Where it is another than the job's. */
  readonly student?: PhaseStudent;
  /** Earlier phase whose result it goes on from, with the same student; default: initial weights. */
  readonly from?: string;
  /**
   * Goes on from `from` as if both were one phase: with its last step, its optimizer's state and its place in the schedule. The
   * terms are the same. Default: the phase begins its optimizer and its schedule anew.
   */
  readonly continues?: true;
  /** Weights by name: `teacher`, or an earlier phase, whose student it is. Default: the job's teacher alone. */
  readonly teachers?: Readonly<Record<string, number>>;
  /** It is to stand between its teacher and the job's student in accuracy; the report says whether it does. */
  readonly assistant?: true;
  /** `last`: validation says nothing of what it learns, so its last step counts and nothing stops it early. */
  readonly select?: 'last';
}

/** What tells a student from the job's. */
export interface PhaseStudent {
  /** Options in place of the job's; with `architecture`, a student of its own. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Added to the job's seed, for other initial weights. */
  readonly seed?: number;
}
