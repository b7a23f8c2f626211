import { logSumExp } from '../log-sum-exp.ts';
import type { Ensemble } from './ensemble.ts';
import { rowWeights } from './row-weights.ts';

/** What a combination reads of an Ensemble, with the weights that count from here on, adding up to 1. */
export interface CombineRequest extends Pick<Ensemble, 'combine' | 'temperature' | 'weighting'> {
  readonly weights: readonly number[];
  /** The weights as they were given, adding up to 1; they set the scale of `standardized-logits`. */
  readonly given: readonly number[];
  readonly classes: number;
  /** [N, C] distributions, all zero in rows without a label; read by `agreement` alone. */
  readonly labels?: Float32Array;
}

export interface Combined {
  /** [N, C] */
  readonly logits: Float32Array;
  /** Mean weight of each teacher over the rows. */
  readonly meanWeights: readonly number[];
}

/**
 * Whole scores [N, C] of several teachers as teacher logits [N, C], with weights w_k of the row:
 *
 * - `probabilities`: T ln sum_k w_k softmax(z_k / T), so that a loss at temperature T sees exactly the mean of the
 *   softened probabilities.
 * - `logits`: sum_k w_k z_k.
 * - `standardized-logits`: s sum_k w_k (z_k - mean z_k) / s_k with s_k the deviation over the classes and s = sum_k w_k
 *   s_k by the given weights: every teacher counts at the same scale, and the row keeps a scale of logits.
 */
export function combineScores(scores: readonly Float32Array[], request: CombineRequest): Combined {
  const { classes, weights, weighting, labels } = request;
  const length = scores[0]!.length;
  const logits = new Float32Array(length);
  const sums = weights.map(() => 0);
  const varies = weighting.by === 'confidence' || weighting.by === 'agreement';
  for (let at = 0; at < length; at += classes) {
    const row = scores.map((own) => own.subarray(at, at + classes));
    const own = varies
      ? rowWeights(row.map(logSoftmax), weights, weighting, labelOf(labels, at, classes))
      : weights;
    const parts = scoreParts(row, request);
    for (let c = 0; c < classes; c++) logits[at + c] = joined(parts, own, c, request);
    for (const [k, weight] of own.entries()) sums[k]! += weight;
  }
  const rows = Math.max(1, length / classes);
  return { logits, meanWeights: varies && length > 0 ? sums.map((sum) => sum / rows) : weights };
}

function joined(
  parts: readonly Float64Array[],
  weights: readonly number[],
  c: number,
  { combine, temperature }: CombineRequest,
): number {
  if (combine !== 'probabilities') return parts.reduce((sum, part, k) => sum + weights[k]! * part[c]!, 0);
  return temperature * logSumExp(parts.length, (k) => Math.log(weights[k]!) + parts[k]![c]!);
}

/** What of each teacher is averaged in one row: ln softmax(z / T), z, or z at the common scale. */
export function scoreParts(
  row: readonly Float32Array[],
  { combine, temperature, given }: Pick<CombineRequest, 'combine' | 'temperature' | 'given'>,
): readonly Float64Array[] {
  if (combine === 'probabilities') return row.map((z) => logSoftmax(z.map((each) => each / temperature)));
  if (combine === 'logits') return row.map((z) => Float64Array.from(z));
  const moments = row.map(momentsOf);
  const scale = moments.reduce((sum, { deviation }, k) => sum + given[k]! * deviation, 0);
  return row.map((z, k) => {
    const { mean, deviation } = moments[k]!;
    return Float64Array.from(z, (each) => (deviation > 0 ? (scale * (each - mean)) / deviation : 0));
  });
}

function momentsOf(z: Float32Array): { readonly mean: number; readonly deviation: number } {
  const mean = z.reduce((sum, each) => sum + each, 0) / z.length;
  const square = z.reduce((sum, each) => sum + (each - mean) ** 2, 0) / z.length;
  return { mean, deviation: Math.sqrt(square) };
}

function logSoftmax(z: Float32Array): Float64Array {
  const total = logSumExp(z.length, (c) => z[c]!);
  return Float64Array.from(z, (each) => each - total);
}

function labelOf(labels: Float32Array | undefined, at: number, classes: number): Float32Array | undefined {
  const label = labels?.subarray(at, at + classes);
  return label?.some((part) => part !== 0) ? label : undefined;
}
