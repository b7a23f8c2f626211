import { metrics } from '../../core/metrics/index.ts';
import type { Model } from '../../core/onnx/model.ts';
import type { Snapshot } from '../../core/program/kernel.ts';
import { scoreRows } from '../logits/score-rows.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import type { Validation } from '../training/training-run.ts';
import { openStudent } from './open-student.ts';
import { withSnapshot } from './trained-model.ts';

export interface ValidationSet {
  readonly student: Model;
  readonly rows: Rows;
  /** Rows of the dataset the student is looked at on, and the teacher's logits of them. */
  readonly seen: Uint32Array;
  readonly teacherLogits: Float32Array;
}

/** Figures of a snapshot on the validation rows, from its exported form in the runtime. */
export async function validateStudent(
  snapshot: Snapshot,
  { student, rows: { dataset, plain }, seen, teacherLogits }: ValidationSet,
  done: Pick<Results, 'inspect'>,
  context: Pick<StageContext, 'runtime' | 'spec'>,
): Promise<Validation> {
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const labels = Int32Array.from(seen, (row) => dataset.labels[row]!);
  const average = context.spec.train.ema !== undefined;
  const scorer = await openStudent(withSnapshot(student, snapshot, average), done, context);
  try {
    const logits = await scoreRows(scorer, plain, seen, { input: plan.input.name, classes });
    const scores = { classes, logits, labels, teacherLogits };
    const accuracy = metrics.accuracy.compute(scores) as number | null;
    const agreement = metrics.agreement.compute(scores) as number | null;
    const hasLabels = labels.some((label) => label >= 0);
    return { score: hasLabels ? accuracy : agreement, figures: { accuracy, agreement } };
  } finally {
    await scorer.close();
  }
}
