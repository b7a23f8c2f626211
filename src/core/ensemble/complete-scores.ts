import { invariant } from '../../errors.ts';
import { logSumExp } from '../log-sum-exp.ts';
import { mixLogits } from '../mix-logits.ts';
import type { ClassMap } from './class-map.ts';

/**
 * Scores [N, C] of teachers of whom some know a part of the classes (-Infinity elsewhere), made whole; no map for those
 * whose outputs are the classes. A teacher has no opinion on a class it does not know, and none on how likely those it
 * knows are together: it shares out among its classes K what the teachers that know all classes give to K. With r the
 * mean of their probabilities,
 *
 *     p(c) = r(K) p(c | K) for c in K, and p(c) = r(c) elsewhere.
 *
 * So a picture of none of its classes is left to the others, and no teacher counts against a class it was never taught.
 * Scores of those that know all classes, and what a teacher says of its own, stay as they are. At least one knows all.
 */
export function completeScores(
  scores: readonly Float32Array[],
  maps: readonly (ClassMap | undefined)[],
  weights: readonly number[],
  classes: number,
): readonly Float32Array[] {
  const unknown = maps.map((map = []) => [...map.keys()].filter((c) => map[c]!.length === 0));
  const whole = scores.flatMap((logits, k) =>
    unknown[k]!.length === 0 ? [{ logits, weight: weights[k]! }] : [],
  );
  if (whole.length === scores.length) return scores;
  invariant(whole.length > 0, 'no teacher knows all classes');
  const reference = mixLogits(whole, classes);
  return scores.map((own, k) =>
    unknown[k]!.length === 0 ? own : completed(own, reference, unknown[k]!, classes),
  );
}

function completed(
  own: Float32Array,
  reference: Float32Array,
  unknown: readonly number[],
  classes: number,
): Float32Array {
  const known = Array.from({ length: classes }, (_, c) => c).filter((c) => !unknown.includes(c));
  const all = own.slice();
  for (let at = 0; at < all.length; at += classes) {
    const total = (scores: Float32Array): number => logSumExp(known.length, (i) => scores[at + known[i]!]!);
    const shift = total(own) - total(reference);
    for (const c of unknown) all[at + c] = reference[at + c]! + shift;
  }
  return all;
}
