import { phaseStudent } from '../../spec/phase-student.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { drawnPlan } from '../training/drawn-plan.ts';
import type { Rows } from '../training/open-rows.ts';
import type { PlacedPhase } from '../training/place-phases.ts';
import { studentOf } from '../training/train-student.ts';
import { aboutStudent } from './about-student.ts';

/** Lets the kernel that the spec names open the training of every uploaded student of these phases, and refuse it. */
export async function openUploaded(
  phases: readonly PlacedPhase[],
  done: Pick<Results, 'ingest' | 'inspect' | 'qualify'>,
  rows: Rows,
  context: StageContext,
): Promise<void> {
  const { spec } = context;
  const { device, threads } = spec.train;
  const opened = new Set<string>();
  for (const phase of phases) {
    const choice = phaseStudent(phase, spec.student);
    // Turns of one student are one and the same training.
    const training = JSON.stringify([choice, phase.terms]);
    if (choice.kind !== 'model' || opened.has(training)) continue;
    opened.add(training);
    const student = await studentOf(done, context, rows, phase);
    await aboutStudent(phase, spec, async () => {
      const { kernel, program } = await drawnPlan(student, done, rows, context, phase);
      const trainer = await kernel.open(program, { device, threads, seed: spec.seed });
      await trainer.close();
    });
  }
}
