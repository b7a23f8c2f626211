import { metrics } from '../../core/metrics/index.ts';
import { loadLogits } from '../logits/logits-store.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import { validationRows } from '../training/validation-rows.ts';

/** Accuracy of what teaches on the validation rows that rounds look at; null where none of them has a label. */
export async function validateTeacher(
  { inspect, teach }: Pick<Results, 'inspect' | 'teach'>,
  { dataset }: Pick<Rows, 'dataset'>,
  { blobs }: Pick<StageContext, 'blobs'>,
): Promise<{ readonly accuracy: number | null }> {
  const logits = await loadLogits(blobs, teach.validation);
  const labels = Int32Array.from(validationRows(dataset), (row) => dataset.labels[row]!);
  const { classes } = inspect.plan.scores;
  const accuracy = metrics.accuracy.compute({ classes, logits, labels, teacherLogits: logits });
  return { accuracy: accuracy as number | null };
}
