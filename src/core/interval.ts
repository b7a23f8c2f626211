/** A mean over independent runs with what is known of it. */
export interface Interval {
  readonly mean: number;
  /** Standard deviation of the runs (n - 1); null of one run. */
  readonly deviation: number | null;
  /** 95 % confidence interval of the mean by Student's t, which takes the runs for normal; null of one run. */
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
}

/** Mean and 95 % confidence interval of some figures; undefined of none. */
export function intervalOf(values: readonly number[]): Interval | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, deviation: null, low: null, high: null, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (count - 1));
  const half = (t95(count - 1) * deviation) / Math.sqrt(count);
  return { mean, deviation, low: mean - half, high: mean + half, count };
}

/** 97.5 % points of Student's t for 1, 2, ... degrees of freedom. */
const TABLE = [12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216, 2.22814];
const Z = 1.959964;

/** The two-sided 95 % point of Student's t; beyond the table its expansion around the normal (Abramowitz, Stegun 26.7.5). */
export function t95(freedom: number): number {
  if (freedom <= TABLE.length) return TABLE[freedom - 1]!;
  const first = (Z ** 3 + Z) / 4;
  const second = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96;
  const third = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384;
  return Z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}
