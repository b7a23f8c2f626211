import { entryOf } from '../../core/options.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import { strategies } from '../../core/strategies/index.ts';
import type { Strategy } from '../../core/strategies/strategy.ts';
import { invariant } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Stage } from '../stage.ts';
import { openRowsKey, trainKey } from '../train-key.ts';
import { trainStudent } from '../train-student.ts';

/** The student learns from the teacher. */
export const train: Stage<'train'> = {
  name: 'train',
  summary: 'trains the student',
  version: 1,
  key: (done, { spec }) => ({
    ...openRowsKey(done, spec),
    ...trainKey(spec),
    teach: done.teach,
    objective: spec.objective,
    strategy: spec.strategy,
  }),
  run: (done, context) =>
    trainStudent({ name: 'train', terms: termsOf(context.spec), isControl: false }, done, context),
};

/** What the strategy makes of the objective. */
function termsOf({ strategy, objective }: ResolvedSpec): readonly ObjectiveTerm[] {
  const { phases } = entryOf<Strategy>(strategies, strategy.name, 'strategy');
  const [phase, ...others] = phases(objective.terms, strategy.options);
  invariant(phase && others.length === 0, `the strategy "${strategy.name}" has not one phase; one is run`);
  return phase.terms;
}
