import type { ObjectiveTerm } from '../../core/program/build-program.ts';

/** A pair of tensors that `auto` has found. */
export interface FoundPair {
  readonly loss: string;
  readonly from: string;
  readonly to: string;
  /** How alike they are before training: linear CKA, 0 to 1. */
  readonly likeness: number;
}

/** A weight that `auto` has set. */
export interface FoundWeight {
  readonly loss: string;
  readonly weight: number;
  /** The term's value before training, from which it was set. */
  readonly initial: number;
}

/** The pairs of settled terms that `auto` has found. */
export const foundPairs = (terms: readonly ObjectiveTerm[]): FoundPair[] =>
  terms.flatMap(({ loss, from, to, likeness = [] }) =>
    likeness.map((each, i) => ({ loss, from: from![i]!, to: to![i]!, likeness: each })),
  );

/** The weights of settled terms that `auto` has set. */
export const foundWeights = (terms: readonly ObjectiveTerm[]): FoundWeight[] =>
  terms.flatMap(({ loss, weight, weighing }) =>
    typeof weighing === 'object' ? [{ loss, weight, initial: weighing.initial }] : [],
  );
