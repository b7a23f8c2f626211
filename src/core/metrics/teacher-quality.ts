import { bestAssignment } from './assignment.ts';
import type { Scores } from './metric.ts';
import { argmax, labelledRows } from './rows.ts';

/** 99 % of a standard normal lies below this. */
const Z99 = 2.3263;
const MARGIN = 0.1;

export interface TeacherQuality {
  readonly rows: number;
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  /** One-sided 99 % lower bound of the balanced accuracy. */
  readonly lowerBound: number;
  /** What the lower bound must exceed: 1 / C + 0.1. */
  readonly threshold: number;
  /** Share of the largest class, which the accuracy must exceed. */
  readonly majority: number;
  /** Accuracy if class indices are renamed in the best possible way. */
  readonly permutedAccuracy: number;
  readonly passes: boolean;
}

/** Whether a teacher is better than chance and than always naming the largest class, on labelled rows. */
export function teacherQuality(scores: Scores): TeacherQuality {
  const { classes, logits, labels } = scores;
  const rows = labelledRows(scores);
  const confusion = new Float64Array(classes * classes);
  for (const row of rows) confusion[labels[row]! * classes + argmax(logits, classes, row)]! += 1;
  const at = (label: number, predicted: number) => confusion[label * classes + predicted]!;
  const all = Array.from({ length: classes }, (_, c) => c);
  const counts = all.map((label) => all.reduce((sum, predicted) => sum + at(label, predicted), 0));
  const present = all.filter((label) => counts[label]! > 0);

  const total = Math.max(1, rows.length);
  const accuracy = all.reduce((sum, c) => sum + at(c, c), 0) / total;
  const recalls = present.map((c) => at(c, c) / counts[c]!);
  const balanced = recalls.reduce((sum, r) => sum + r, 0) / Math.max(1, present.length);
  // Variance of a mean of independent shares; shares are drawn to the middle (Agresti, Coull 1998) so that a class
  // with few rows, all right, does not count as certain.
  const variance = present.reduce((sum, c) => {
    const n = counts[c]!;
    const p = (at(c, c) + 1) / (n + 2);
    return sum + (p * (1 - p)) / n;
  }, 0);
  const lowerBound = balanced - (Z99 * Math.sqrt(variance)) / Math.max(1, present.length);
  const threshold = 1 / classes + MARGIN;
  const majority = Math.max(0, ...counts) / total;
  const renamed = bestAssignment(confusion, classes);
  return {
    rows: rows.length,
    accuracy,
    balancedAccuracy: balanced,
    lowerBound,
    threshold,
    majority,
    permutedAccuracy: all.reduce((sum, c) => sum + at(c, renamed[c]!), 0) / total,
    passes: lowerBound > threshold && accuracy > majority,
  };
}
