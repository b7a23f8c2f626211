/** A difference of two candidates on the same rows. */
export interface Difference {
  readonly difference: number;
  /** One standard deviation of it, from rows and from seeds; null where it is not known what seeds make. */
  readonly noise: number | null;
}

/** Share of the rows that were hit. Without any row all are equal. */
export const scoreOf = (hits: Uint8Array): number =>
  hits.reduce((sum, hit) => sum + hit, 0) / Math.max(1, hits.length);

/** Nothing is beyond a noise that is not known. */
export const isBeyond = ({ difference, noise }: Difference): boolean => noise !== null && difference > noise;

/**
 * How much better `one` is than `other` on the same rows. Noise is the larger of two standard deviations of that:
 * sqrt(n01 + n10 - (n01 - n10)^2 / n) / n, n01 and n10 the rows that only one of the two gets right (paired, as McNemar's
 * test), and `seedSpread`, the difference that two seeds of one method make.
 */
export function compareHits(one: Uint8Array, other: Uint8Array, seedSpread: number | null): Difference {
  const n = Math.max(1, one.length);
  let [only, missed] = [0, 0];
  for (let i = 0; i < one.length; i++) {
    if (one[i]! > other[i]!) only++;
    if (one[i]! < other[i]!) missed++;
  }
  const ofRows = Math.sqrt(Math.max(0, only + missed - (only - missed) ** 2 / n)) / n;
  return {
    difference: (only - missed) / n,
    noise: seedSpread === null ? null : Math.max(ofRows, seedSpread),
  };
}
