import { entryOf } from '../core/options.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import { strategies } from '../core/strategies/index.ts';
import type { Strategy } from '../core/strategies/strategy.ts';
import { invariant } from '../errors.ts';
import type { ResolvedSpec, ResolvedTrain } from '../spec/resolved-spec.ts';

/** One training of the student of a job: on the objective, or the control. */
export interface StudentRun {
  readonly name: 'train' | 'control';
  readonly terms: readonly ObjectiveTerm[];
  /** The control: only rows with a usable label are shown, and nothing stops it early. */
  readonly isControl: boolean;
}

/** The student's own: what the strategy makes of the objective. */
export function distilledRun({ strategy, objective }: ResolvedSpec): StudentRun {
  const { phases } = entryOf<Strategy>(strategies, strategy.name, 'strategy');
  const [phase, ...others] = phases(objective.terms, strategy.options);
  invariant(phase && others.length === 0, `the strategy "${strategy.name}" has not one phase; one is run`);
  return { name: 'train', terms: phase.terms, isControl: false };
}

/** The same student without distillation: cross-entropy with the labels alone. */
export const controlRun: StudentRun = {
  name: 'control',
  terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
  isControl: true,
};

/**
 * The control makes every step of the length: were it stopped by its own validation, the student could have learned
 * longer than what it is compared with.
 */
export function controlRecipe({ earlyStopping: _earlyStopping, ...recipe }: ResolvedTrain): ResolvedTrain {
  return recipe;
}
