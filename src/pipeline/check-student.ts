import { RetortError } from '../errors.ts';
import { consideredKernels } from './considered-kernels.ts';
import { drawnPlan } from './drawn-plan.ts';
import { openRows } from './open-rows.ts';
import type { Results } from './results.ts';
import type { StageContext } from './stage.ts';
import { studentOf } from './train-student.ts';

/**
 * Refuses what cannot be trained before the teacher is asked, which may take hours: builds the student, and lets the
 * kernel open the training of an uploaded one; where the kernel is left open, one must be able to. Those of our own
 * architectures all train.
 */
export async function checkStudent(done: Results, context: StageContext): Promise<void> {
  const { spec } = context;
  const rows = await openRows(done, context);
  try {
    const student = await studentOf(done, context, rows);
    if (spec.student.kind !== 'model') return;
    const { device, threads } = spec.train;
    const { worth } = await consideredKernels(spec.train, context.kernels);
    let failure: RetortError | undefined;
    for (const kernel of worth) {
      const settled = { ...context, spec: { ...spec, train: { ...spec.train, kernel } } };
      const plan = await drawnPlan(student, done, rows, settled);
      try {
        const trainer = await plan.kernel.open(plan.program, { device, threads, seed: spec.seed });
        return await trainer.close();
      } catch (error) {
        if (!(error instanceof RetortError)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  } finally {
    await rows.dataset.close();
  }
}
