import type { Static, TObject } from 'typebox';
import type { ObjectiveTerm } from '../program/build-program.ts';

/** One stretch of training: one Program, made of these terms. */
export interface Phase {
  readonly terms: readonly ObjectiveTerm[];
}

/**
 * How training is cut into phases: a pure function of the objective and its own options. Adding one = one file and one
 * registry line; how steps are shared out between phases comes with the first strategy that has several.
 */
export interface Strategy<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
  phases(terms: readonly ObjectiveTerm[], options: Static<S>): readonly Phase[];
}
