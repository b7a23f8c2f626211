/** Class scores of one model on some rows. N rows, C classes. */
export interface Scores {
  readonly classes: number;
  /** [N, C] row-major. */
  readonly logits: Float32Array;
  /** [N] class indices; -1 for a row without a label. */
  readonly labels: Int32Array;
  /** [N, C] of the teacher on the same rows, where there is one to compare with. */
  readonly teacherLogits?: Float32Array;
}

/** A number, or one per class; null where no row says anything about it. */
export type MetricValue = number | null | readonly (number | null)[];

/** One figure of the report. Adding one = one file and one registry line. */
export interface Metric {
  readonly name: string;
  readonly summary: string;
  readonly formula: string;
  readonly better: 'higher' | 'lower';
  readonly needs: readonly ('labels' | 'teacher')[];
  compute(scores: Scores): MetricValue;
}
