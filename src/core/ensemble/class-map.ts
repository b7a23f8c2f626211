import { logSumExp } from '../log-sum-exp.ts';

/**
 * What a teacher's outputs mean: per class of the job, those of its outputs that speak of it; none where it knows
 * nothing.
 */
export type ClassMap = readonly (readonly number[])[];

/** The classes it knows, in order. */
export const knownClasses = (map: ClassMap): number[] => [...map.keys()].filter((c) => map[c]!.length > 0);

/**
 * Scores [N, own outputs] as scores [N, classes of the job]: the probability of a class is that of all its outputs
 * together, so its score is the logarithm of the sum of their exponentials. Outputs of no class fall out; a class
 * without any gets -Infinity.
 */
export function mapScores(own: Float32Array, outputs: number, map: ClassMap): Float32Array {
  const classes = map.length;
  const rows = own.length / outputs;
  const mapped = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (const [c, of] of map.entries()) {
      mapped[row * classes + c] = logSumExp(of.length, (i) => own[row * outputs + of[i]!]!);
    }
  }
  return mapped;
}

/** Mapped scores and labels among the known classes alone, renumbered in their order; other labels become -1. */
export function onKnownClasses(mapped: Float32Array, labels: Int32Array, map: ClassMap) {
  const known = knownClasses(map);
  const logits = new Float32Array(labels.length * known.length);
  for (let row = 0; row < labels.length; row++) {
    for (const [i, c] of known.entries()) logits[row * known.length + i] = mapped[row * map.length + c]!;
  }
  const place = new Map(known.map((c, i) => [c, i]));
  return { classes: known.length, logits, labels: labels.map((label) => place.get(label) ?? -1) };
}
