import type { Stage } from '../stage.ts';
import { controlRecipe, controlRun } from '../student-run.ts';
import { openRowsKey, trainKey } from '../train-key.ts';
import { trainStudent } from '../train-student.ts';

/**
 * The same student without distillation: same seed, steps and recipe, cross-entropy with the labels alone. It makes all
 * steps also where the student stops early. Its key holds nothing of the objective, so that several objectives share one
 * control.
 */
export const control: Stage<'control'> = {
  name: 'control',
  summary: 'trains the control without distillation',
  version: 3,
  key: (done, { spec }) => ({
    ...openRowsKey(done, spec),
    ...trainKey({ ...spec, train: controlRecipe(spec.train) }),
    // The control's validation figures compare it with the teacher.
    validation: done.teach.validation,
    wanted: spec.controls,
  }),
  async run(done, context) {
    if (!context.spec.controls || done.qualify.labelled === 0) return null;
    return trainStudent(controlRun, done, context);
  },
};
