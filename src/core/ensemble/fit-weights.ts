import { logSumExp } from '../log-sum-exp.ts';
import { type CombineRequest, scoreParts } from './combine-scores.ts';
import { minimizeOnSimplex, type SimplexMinimum } from './minimize-on-simplex.ts';

/** Weights that were fitted to labelled rows; values are mean negative log-likelihoods of the labels, nats. */
export interface FittedWeights extends SimplexMinimum {
  /** With the given weights. */
  readonly before: number;
  readonly rows: number;
}

/**
 * The weights under which the combination explains the labels of some rows best: the minimum of the mean of -ln
 * p(label), p the mean of the probabilities (at temperature T) or the softmax of the mean of the (standardised) logits.
 * Convex in the weights either way, so the start, the given weights, decides nothing but how long it takes.
 */
export function fitWeights(
  scores: readonly Float32Array[],
  labels: Int32Array,
  request: Pick<CombineRequest, 'combine' | 'temperature' | 'given' | 'classes'>,
): FittedWeights {
  const { classes, combine, given } = request;
  const rows = [...labels.keys()].filter((row) => labels[row]! >= 0);
  const parts = rows.map((row) =>
    scoreParts(
      scores.map((own) => own.subarray(row * classes, (row + 1) * classes)),
      request,
    ),
  );
  const rowGradient = combine === 'probabilities' ? mixture : softmax;
  const evaluate = (weights: readonly number[]) => {
    let value = 0;
    const gradient = weights.map(() => 0);
    for (const [i, row] of rows.entries()) {
      value += rowGradient(parts[i]!, weights, labels[row]!, gradient) / rows.length;
    }
    return { value, gradient: gradient.map((sum) => sum / rows.length) };
  };
  const { value: before } = evaluate(given);
  return { ...minimizeOnSimplex(evaluate, given), before, rows: rows.length };
}

/** -ln sum_k w_k p_k(y); adds its gradient. */
function mixture(
  parts: readonly Float64Array[],
  weights: readonly number[],
  label: number,
  gradient: number[],
): number {
  const log = logSumExp(parts.length, (k) => Math.log(weights[k]!) + parts[k]![label]!);
  for (const [k, part] of parts.entries()) gradient[k]! -= Math.exp(part[label]! - log);
  return -log;
}

/** -ln softmax(sum_k w_k u_k)(y); adds its gradient. */
function softmax(
  parts: readonly Float64Array[],
  weights: readonly number[],
  label: number,
  gradient: number[],
): number {
  const classes = parts[0]!.length;
  const mixed = Float64Array.from({ length: classes }, (_, c) =>
    parts.reduce((sum, part, k) => sum + weights[k]! * part[c]!, 0),
  );
  const total = logSumExp(classes, (c) => mixed[c]!);
  for (const [k, part] of parts.entries()) {
    gradient[k]! += part.reduce((sum, u, c) => sum + Math.exp(mixed[c]! - total) * u, 0) - part[label]!;
  }
  return total - mixed[label]!;
}
