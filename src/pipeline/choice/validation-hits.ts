import { metrics } from '../../core/metrics/index.ts';
import { decodeSnapshot } from '../../core/program/safetensors.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import { loadLogits } from '../logits/logits-store.ts';
import { scoreRows } from '../logits/score-rows.ts';
import type { Results, Trained } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { openStudent } from '../student/open-student.ts';
import { withSnapshot } from '../student/trained-model.ts';
import { openRows } from '../training/open-rows.ts';
import { studentOf } from '../training/train-student.ts';
import { validationRows } from '../training/validation-rows.ts';

export interface ValidationHits extends Pick<MethodChoice, 'measure'> {
  /** By row that says anything: 1 where the student was right, or agreed with the teacher, else 0. */
  readonly hits: Uint8Array;
}

/** Which of the validation rows that rounds look at a trained student gets right. */
export async function validationHits(
  { snapshot }: Pick<Trained, 'snapshot'>,
  done: Results,
  context: StageContext,
): Promise<ValidationHits> {
  const { blobs, spec } = context;
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const rows = await openRows(done, context);
  try {
    const state = decodeSnapshot(await blobs.get(snapshot.hash));
    const student = withSnapshot(await studentOf(done, context, rows), state, spec.train.ema !== undefined);
    const seen = validationRows(rows.dataset);
    const scorer = await openStudent(student, done, context);
    const logits = await scoreRows(scorer, rows.plain, seen, { input: plan.input.name, classes }).finally(
      () => scorer.close(),
    );
    const labels = Int32Array.from(seen, (row) => rows.dataset.labels[row]!);
    const measure = labels.some((label) => label >= 0) ? 'accuracy' : 'agreement';
    const teacherLogits = await loadLogits(blobs, done.teach.validation);
    const hits: number[] = [];
    for (let row = 0; row < seen.length; row++) {
      const at = <T extends Float32Array>(all: T) => all.subarray(row * classes, (row + 1) * classes);
      const one = { classes, logits: at(logits), labels: labels.subarray(row, row + 1) };
      const hit = metrics[measure].compute({ ...one, teacherLogits: at(teacherLogits) });
      // A row without a label says nothing of accuracy.
      if (hit !== null) hits.push(hit as number);
    }
    return { hits: Uint8Array.from(hits), measure };
  } finally {
    await rows.dataset.close();
  }
}
