import type { Phase } from '../../core/strategies/phase.ts';
import type { ResolvedSpec, ResolvedTrain } from '../../spec/resolved-spec.ts';

/** One training of the student of a job: in the phases of its strategy, the control, or to choose the method. */
export interface StudentRun {
  readonly name: 'train' | 'control' | 'choose';
  readonly phases: readonly Phase[];
  /** The control: only rows with a usable label are shown, and nothing stops it early. */
  readonly isControl: boolean;
  /** Of initial weights, order of rows and noise. */
  readonly seed: number;
}

/** The student's own. */
export const distilledRun = ({ phases, seed }: Pick<ResolvedSpec, 'phases' | 'seed'>): StudentRun => ({
  name: 'train',
  phases,
  isControl: false,
  seed,
});

/** The same student without distillation: cross-entropy with the labels alone, in one phase. */
export const controlRun = ({ seed }: Pick<ResolvedSpec, 'seed'>): StudentRun => ({
  name: 'control',
  phases: [{ name: 'all', terms: [{ loss: 'cross-entropy', weight: 1, options: {} }], share: 1 }],
  isControl: true,
  seed,
});

/**
 * The control makes every step of the length: were it stopped by its own validation, the student could have learned
 * longer than what it is compared with.
 */
export function controlRecipe({ earlyStopping: _earlyStopping, ...recipe }: ResolvedTrain): ResolvedTrain {
  return recipe;
}
