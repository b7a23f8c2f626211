import { openRows } from './open-rows.ts';
import { planTraining } from './plan-training.ts';
import type { Results } from './results.ts';
import type { StageContext } from './stage.ts';
import { distilledRun } from './student-run.ts';
import { studentOf } from './train-student.ts';

/**
 * Refuses what cannot be trained before the teacher is asked, which may take hours: builds the student, and lets the
 * kernel open the training of an uploaded one. Those of our own architectures all train.
 */
export async function checkStudent(done: Results, context: StageContext): Promise<void> {
  const { spec } = context;
  const rows = await openRows(done, context);
  try {
    const student = await studentOf(done, context, rows);
    if (spec.student.kind !== 'model') return;
    const teacher = () => Promise.reject(new Error('nothing is trained here'));
    const plan = planTraining({ ...distilledRun(spec), student, rows, teacher }, done, context);
    const { device, threads } = spec.train;
    const trainer = await plan.kernel.open(plan.program, { device, threads, seed: spec.seed });
    await trainer.close();
  } finally {
    await rows.dataset.close();
  }
}
