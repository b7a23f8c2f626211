import type { RuleSample } from '../rule.ts';

interface BinarySampling {
  readonly first?: readonly [number, number];
  readonly second?: readonly [number, number];
}

/** The usual evidence for a two-input operator: equal shapes and every way to broadcast. */
export function binarySamples(options: BinarySampling = {}): RuleSample[] {
  const { first = [-2, 2], second = [-2, 2] } = options;
  const pairs: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ['equal shapes', [2, 3], [2, 3]],
    ['scalars', [], []],
    ['second is a scalar', [2, 3], []],
    ['first is a scalar', [], [3, 2]],
    ['second has fewer dimensions', [2, 3, 4], [4]],
    ['first has fewer dimensions', [3, 1], [2, 3, 4]],
    ['both are stretched', [2, 1, 3], [4, 1]],
    ['channel', [2, 3, 2, 2], [1, 3, 1, 1]],
  ];
  return pairs.map(([name, a, b]) => ({
    name,
    inputs: [
      { shape: a, range: first },
      { shape: b, range: second },
    ],
  }));
}
