import { RetortError } from '../../errors.ts';
import { phaseStudent } from '../../spec/phase-student.ts';
import { consideredKernels } from '../choice/considered-kernels.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { phasesOf } from '../training/drawn-plan.ts';
import { openRows } from '../training/open-rows.ts';
import { studentOf } from '../training/train-student.ts';
import { openUploaded } from './open-uploaded.ts';

/**
 * Refuses what cannot be trained before the teacher is asked or gives pictures, which may take hours: builds the students of
 * all phases, and lets the kernel open the training of uploaded ones; where the kernel is left open, one must be able to
 * train them all. Those of our own architectures all train.
 */
export async function checkStudent(done: Results, context: StageContext): Promise<void> {
  const { spec } = context;
  const rows = await openRows(done, context);
  try {
    const phases = phasesOf(context, rows);
    for (const phase of phases) await studentOf(done, context, rows, phase);
    if (phases.every((phase) => phaseStudent(phase, spec.student).kind !== 'model')) return;
    const { worth } = await consideredKernels(spec.train, context.kernels);
    let failure: RetortError | undefined;
    for (const kernel of worth) {
      const settled = { ...context, spec: { ...spec, train: { ...spec.train, kernel } } };
      try {
        return await openUploaded(phases, done, rows, settled);
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
