import { needsOf } from '../../core/program/build-program.ts';
import type { Stage } from '../stage.ts';
import { distilledRun } from '../student-run.ts';
import { openRowsKey, trainKey } from '../train-key.ts';
import { trainStudent } from '../train-student.ts';

/** The student learns from the teacher, in the phases of its strategy. */
export const train: Stage<'train'> = {
  name: 'train',
  summary: 'trains the student',
  version: 3,
  key: (done, { spec }) => ({
    ...openRowsKey(done, spec),
    ...trainKey(spec),
    teach: done.teach,
    phases: spec.phases,
    // The teacher is asked again while the student trains; its logits alone do not tell two of them apart.
    teacher: spec.phases.some(({ terms }) => needsOf(terms).has('features')) ? done.inspect.plan : undefined,
  }),
  run: (done, context) => trainStudent(distilledRun(context.spec), done, context),
};
