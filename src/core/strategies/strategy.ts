import type { Static, TObject } from 'typebox';

/** One stretch of training with one objective. */
export interface Phase {
  readonly name: string;
  /** Share of the run's steps; the phases of a strategy add up to 1. */
  readonly share: number;
}

/** How training is cut into phases: a pure function of options. Adding one = one file and one registry line. */
export interface Strategy<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
  phases(options: Static<S>): readonly Phase[];
}
