/**
 * The counter hash in which gradient cases give their numbers: splitmix64 (Steele, Lea, Flood 2014) at position i >= 1
 * of a seed's sequence. Exact 64-bit arithmetic by BigInt.
 */
export function splitmix64(seed: bigint, i: number): bigint {
  let z = BigInt.asUintN(64, seed + BigInt(i) * 0x9e3779b97f4a7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

/** Uniform on [0, 1), 53 bits. */
export const uniform = (seed: bigint, i: number): number => Number(splitmix64(seed, i) >> 11n) / 2 ** 53;

/** Sum of four uniforms, scaled to mean 0 and variance 1. */
export function normalish(seed: number, i: number): number {
  let sum = 0;
  for (let k = 0; k < 4; k++) sum += uniform(BigInt(4 * seed + k), i);
  return Math.sqrt(3) * sum - 2 * Math.sqrt(3);
}

/** +1 or -1. */
export const signAt = (seed: number, i: number): number => (splitmix64(BigInt(seed), i) & 1n ? 1 : -1);
