import type { Model } from '../../core/onnx/model.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { openUploaded } from '../student/open-uploaded.ts';
import { drawnPlan, phasesOf } from '../training/drawn-plan.ts';
import type { Rows } from '../training/open-rows.ts';

/**
 * What a kernel is chosen by: the last phase, the job's student. One that cannot train an uploaded student of an earlier
 * phase refuses that first, and so is passed over.
 */
export async function measuredPlan(
  student: Model,
  done: Pick<Results, 'ingest' | 'inspect' | 'qualify'>,
  rows: Rows,
  context: StageContext,
) {
  const others = phasesOf(context, rows).filter((phase) => phase.student?.options);
  await openUploaded(others, done, rows, context);
  return drawnPlan(student, done, rows, context);
}
