import type { Preprocess } from '../preprocess.ts';

/** Who stands for the job's teacher: it and further ones, and how their class scores become one. Plain data. */
export interface Ensemble {
  /** Weight of the job's own teacher, which comes first everywhere. */
  readonly weight: number;
  readonly others: readonly FurtherTeacher[];
  readonly combine: Combination;
  /** At which `probabilities` are averaged. */
  readonly temperature: number;
  readonly weighting: Weighting;
}

export interface FurtherTeacher {
  /** Name of the file it came as. */
  readonly file: string;
  /** By its inputs, as the spec's own `inputs` by those of the job's teacher. */
  readonly inputs: Readonly<Record<string, Preprocess>>;
  /** Class of the job to outputs of this teacher; without it, its outputs are the job's. */
  readonly labels?: Readonly<Record<string, number | readonly number[]>>;
  readonly weight: number;
}

/** What is averaged. */
export const combinations = ['probabilities', 'standardized-logits', 'logits'] as const;
export type Combination = (typeof combinations)[number];

/** Why what is averaged says nothing of two classes; undefined where it does (see `Loss.refusesPairs`). */
export const combinationRefusesPairs = (combine: Combination): string | undefined =>
  combine === 'standardized-logits'
    ? 'standardises the logits of each teacher, which with two classes leaves only its vote'
    : undefined;

/**
 * What the weights follow besides those that are given: nothing; how sure each teacher is of a row; whether it agrees with
 * the label of a row, or with the majority; the fit to the validation rows.
 */
export type Weighting =
  | { readonly by: 'fixed' }
  | { readonly by: 'confidence'; readonly confidence: 'entropy' | 'max' }
  | { readonly by: 'agreement'; readonly dissent: number }
  | { readonly by: 'learned' };
