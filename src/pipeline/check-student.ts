import { drawnPlan } from './drawn-plan.ts';
import { openRows } from './open-rows.ts';
import type { Results } from './results.ts';
import type { StageContext } from './stage.ts';
import { studentOf } from './train-student.ts';

/**
 * Refuses what cannot be trained before the teacher is asked, which may take hours: builds the student, and lets a kernel
 * open the training of an uploaded one. Those of our own architectures all train.
 */
export async function checkStudent(done: Results, context: StageContext): Promise<void> {
  const { spec } = context;
  const rows = await openRows(done, context);
  try {
    const student = await studentOf(done, context, rows);
    if (spec.student.kind !== 'model') return;
    // Which kernel `auto` will be is settled later; what this one refuses the other has no rule for either.
    const kernel = spec.train.kernel === 'auto' ? 'onnxruntime' : spec.train.kernel;
    const settled = { ...context, spec: { ...spec, train: { ...spec.train, kernel } } };
    const plan = drawnPlan(student, done, rows, settled);
    const { device, threads } = spec.train;
    const trainer = await plan.kernel.open(plan.program, { device, threads, seed: spec.seed });
    await trainer.close();
  } finally {
    await rows.dataset.close();
  }
}
