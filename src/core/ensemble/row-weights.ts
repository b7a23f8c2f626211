import { logSumExp } from '../log-sum-exp.ts';
import type { Weighting } from './ensemble.ts';

/** Log-probabilities [C] of one row, one list per teacher. */
type Opinions = readonly Float64Array[];

/**
 * Weights of the teachers for one row, adding up to 1: the given ones w_k times a factor of the row.
 *
 * - `confidence`, `entropy`: 1 - H(p_k) / ln C, so that a teacher without any idea has no say.
 * - `confidence`, `max`: the largest probability.
 * - `agreement` on a row with a label distribution y: (1 - softmax_k(CE_k)) with CE_k = -sum_c y_c ln p_k(c) (CA-MKD).
 * - `agreement` on other rows: `dissent` for teachers whose best class is not that of the majority. Votes count w_k; of
 *   classes with as many votes the one with the larger mean probability wins, then the first.
 *
 * Where all factors are 0 the given weights stay.
 */
export function rowWeights(
  opinions: Opinions,
  given: readonly number[],
  weighting: Weighting,
  label: ArrayLike<number> | undefined,
): readonly number[] {
  const factors = factorsOf(opinions, given, weighting, label);
  if (!factors) return given;
  const weights = given.map((weight, k) => weight * factors[k]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? weights.map((weight) => weight / total) : given;
}

function factorsOf(
  opinions: Opinions,
  given: readonly number[],
  weighting: Weighting,
  label: ArrayLike<number> | undefined,
): readonly number[] | undefined {
  if (weighting.by === 'confidence') {
    return opinions.map(weighting.confidence === 'max' ? largest : certainty);
  }
  if (weighting.by !== 'agreement') return undefined;
  if (label) return trust(opinions, label);
  const best = opinions.map(argmax);
  const chosen = majority(best, opinions, given);
  return best.map((c) => (c === chosen ? 1 : weighting.dissent));
}

const largest = (opinion: Float64Array): number => Math.exp(opinion[argmax(opinion)]!);

function certainty(opinion: Float64Array): number {
  // A probability of zero adds nothing (0 ln 0 = 0).
  const entropy = opinion.reduce((sum, l) => (Math.exp(l) > 0 ? sum - Math.exp(l) * l : sum), 0);
  return Math.max(0, 1 - entropy / Math.log(opinion.length));
}

function trust(opinions: Opinions, label: ArrayLike<number>): number[] {
  // As little as a probability in float32 says for sure: else one teacher's certainty of another class would be infinite.
  const losses = opinions.map((opinion) =>
    opinion.reduce((sum, l, c) => sum - label[c]! * Math.max(l, LEAST), 0),
  );
  const total = logSumExp(losses.length, (k) => losses[k]!);
  return losses.map((loss) => -Math.expm1(loss - total));
}

const LEAST = -100;

function majority(best: readonly number[], opinions: Opinions, given: readonly number[]): number {
  const votes = new Map<number, number>();
  for (const [k, c] of best.entries()) votes.set(c, (votes.get(c) ?? 0) + given[k]!);
  const mean = (c: number): number =>
    opinions.reduce((sum, opinion, k) => sum + given[k]! * Math.exp(opinion[c]!), 0);
  const ranked = [...votes].sort(([a, x], [b, y]) =>
    Math.abs(x - y) > TIE ? y - x : mean(b) - mean(a) || a - b,
  );
  return ranked[0]![0];
}

/** Sums of weights that differ by less are the same. */
const TIE = 1e-9;

/** The first of the largest. */
function argmax(values: Float64Array): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
  return best;
}
