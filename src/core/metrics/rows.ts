import type { Scores } from './metric.ts';

/** Row numbers that carry a label. */
export const labelledRows = ({ labels }: Scores): number[] =>
  Array.from(labels.keys()).filter((row) => labels[row]! >= 0);

/** Index of the largest of C scores of a row; the first one where several tie (as ONNX ArgMax). */
export function argmax(logits: Float32Array, classes: number, row: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if (logits[row * classes + c]! > logits[row * classes + best]!) best = c;
  }
  return best;
}

/** Softmax of one row in double precision, shifted by its maximum. */
export function probabilities(logits: Float32Array, classes: number, row: number): Float64Array {
  const z = Float64Array.from(logits.subarray(row * classes, (row + 1) * classes));
  const top = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const e = z.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

/** Log-softmax of one row in double precision. */
export function logProbabilities(logits: Float32Array, classes: number, row: number): Float64Array {
  const z = Float64Array.from(logits.subarray(row * classes, (row + 1) * classes));
  const top = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0)) + top;
  return z.map((v) => v - total);
}

export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
