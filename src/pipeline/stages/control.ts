import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Results } from '../results.ts';
import type { Stage } from '../stage.ts';
import { asOne, repeatsKey, repeatTraining } from '../training/repeat-training.ts';
import { controlRecipe, controlRun } from '../training/student-run.ts';
import { openRowsKey, trainKey } from '../training/train-key.ts';
import { trainStudent } from '../training/train-student.ts';
import { trainingSeed } from '../training/training-seed.ts';

const VERSION = 3;

/**
 * The same student without distillation: same seed, steps and recipe, cross-entropy with the labels alone. It makes all
 * steps also where the student stops early. Its key holds nothing of the objective, so that several objectives share one
 * control.
 */
export const control: Stage<'control'> = {
  name: 'control',
  summary: 'trains the control without distillation',
  version: VERSION,
  key: (done, { spec }) => ({ ...keyOf(done, spec), ...repeatsKey(spec.seeds) }),
  async run(done, context) {
    const { spec } = context;
    if (!spec.controls || done.qualify.labelled === 0) return null;
    const key = { name: 'control', version: VERSION, key: keyOf(done, spec) };
    const runs = await repeatTraining(key, context, (index, within) =>
      trainStudent({ ...controlRun(spec), seed: trainingSeed(spec.seed, index) }, done, within),
    );
    return asOne(runs, 0);
  },
};

const keyOf = (done: Results, spec: ResolvedSpec) => ({
  ...openRowsKey(done, spec),
  ...trainKey({ ...spec, train: controlRecipe(spec.train) }),
  // The control's validation figures compare it with the teacher.
  validation: done.teach.validation,
  wanted: spec.controls,
});
