import type { Scores } from '../metrics/metric.ts';
import { argmax } from '../metrics/rows.ts';

type Compared = Scores & Required<Pick<Scores, 'teacherLogits'>>;

/**
 * The scores on the rows of some classes, among these, renumbered in their order. A row is of its label, or where it has
 * none, of the class that the teacher it is compared with gives it: what a model says of rows of other classes, when it
 * may only name these, is neither right nor wrong.
 */
export function onKnownRows(
  { classes, logits, labels, teacherLogits }: Compared,
  known: readonly number[],
): Compared {
  const place = new Map(known.map((c, i) => [c, i]));
  const classOf = (row: number): number =>
    labels[row]! >= 0 ? labels[row]! : argmax(teacherLogits, classes, row);
  const rows = [...labels.keys()].filter((row) => place.has(classOf(row)));
  const among = (scores: Float32Array): Float32Array =>
    Float32Array.from(rows.flatMap((row) => known.map((c) => scores[row * classes + c]!)));
  return {
    classes: known.length,
    logits: among(logits),
    labels: Int32Array.from(rows, (row) => place.get(labels[row]!) ?? -1),
    teacherLogits: among(teacherLogits),
  };
}
