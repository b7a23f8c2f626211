/**
 * The only randomness in Retort: a counter-based hash, so that any value can be had without the ones before it.
 * MurmurHash3's 32-bit finalizer (Appleby 2011), chained over seed, stream and counters.
 */

/** A 32-bit hash of a seed, a stream name and any counters. Equal arguments always give equal results. */
function hash32(seed: number, stream: string, ...counters: readonly number[]): number {
  let h = mix(seed ^ 0x9e3779b9);
  for (let i = 0; i < stream.length; i++) h = mix(h ^ stream.charCodeAt(i));
  for (const counter of counters) {
    h = mix(h ^ (counter >>> 0));
    h = mix(h ^ Math.floor(counter / 2 ** 32));
  }
  return h;
}

/** Murmur3 finalizer with an additive constant, a bijection of 32-bit integers. */
function mix(value: number): number {
  let h = (value + 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A stream of independent draws at one address (seed, stream, counters). */
export class Random {
  readonly #seed: number;
  #counter = 0;

  constructor(seed: number, stream: string, ...counters: readonly number[]) {
    this.#seed = hash32(seed, stream, ...counters);
  }

  /** Uniform on [0, 1), 32 bits. */
  uniform(): number {
    return mix(this.#seed ^ mix(this.#counter++)) / 2 ** 32;
  }

  /** Uniform integer on [0, n). */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Fisher-Yates, in place; returns its argument. */
  shuffle<T extends { length: number; [i: number]: number }>(list: T): T {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const kept = list[i]!;
      list[i] = list[j]!;
      list[j] = kept;
    }
    return list;
  }
}
