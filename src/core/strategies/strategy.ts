import type { Static, TObject } from 'typebox';
import type { Ensemble } from '../ensemble/ensemble.ts';
import type { Inversion } from '../inversion/inversion.ts';
import type { ObjectiveTerm } from '../program/build-program.ts';
import type { Phase } from './phase.ts';

/**
 * How training is cut into phases: a pure function of the objective and its own options. Adding one = one file and one
 * registry line. The last phase trains the student of the job.
 */
export interface Strategy<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly citation?: string;
  readonly options: S;
  /** What is learned where the spec names no objective, as `objective.terms` says it. Default: Hinton's two terms. */
  terms?(options: Static<S>): readonly Readonly<Record<string, unknown>>[];
  /** Terms it adds to the objective, unless that has a term of the same loss. */
  adds?(options: Static<S>): readonly Readonly<Record<string, unknown>>[];
  /** Options that only `terms` or `adds` reads, and so nothing where the spec says these terms itself. */
  readonly ofTerms?: readonly string[];
  /** What of `train` it sets where the spec says nothing. */
  readonly train?: Readonly<Record<string, unknown>>;
  /** Who stands for the job's teacher in its phases. Default: the job's teacher alone. */
  ensemble?(options: Static<S>): Ensemble;
  /** How its training rows are recovered from the teacher. Default: they are the dataset's. */
  inversion?(options: Static<S>): Inversion;
  /** Whether it takes no term that reads a label. */
  readonly withoutLabels?: true;
  /** SPEC_INVALID where the objective is none for it. */
  phases(terms: readonly ObjectiveTerm[], options: Static<S>): readonly Phase[];
}
