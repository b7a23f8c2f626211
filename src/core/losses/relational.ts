import Type from 'typebox';
import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { demandRows } from './demand-rows.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, pooled, pooledOf, sumOf, sumOver, TINY_SQUARE } from './feature-shapes.ts';
import type { Loss } from './loss.ts';

/** Numbers in a tensor of angles: 134 MB, of which training holds some twenty. */
const MOST_ANGLES = 2 ** 25;

/** Of the mean distance: what directions are divided by at least. */
const FLOOR = 0.01;

const options = Type.Object(
  {
    distance: Type.Number({ minimum: 0, default: 1, description: 'weight of the distances of pairs' }),
    angle: Type.Number({ minimum: 0, default: 2, description: 'weight of the angles of triples' }),
  },
  { additionalProperties: false },
);

/**
 * Relations between rows: L = distance * L_D + angle * L_A on one vector per row (maps and sequences averaged over their
 * positions), h(x) = x^2 / 2 for |x| < 1, else |x| - 1/2:
 * - L_D = mean over pairs i != j of h(d_s / mu_s - d_t / mu_t), d = |f_i - f_j|, mu the mean of d over those pairs;
 * - L_A = mean over triples of different i, j, k of h(a_s - a_t), a the cosine of the angle at j, <e_ij, e_kj>.
 * Means are over the pairs and triples that are not 0 by themselves, B (B - 1) and B (B - 1) (B - 2), where others divide
 * by B^2 and B^3. The weights stand 1 to 2 as in the paper; 25 and 50 elsewhere are the same with the term's weight 25.
 * Lengths are sqrt(. + 1e-12), and directions are divided by sqrt(d^2 + (mu / 100)^2): where a network makes two rows nearly the
 * same, their direction says nothing, and divided by d alone its gradient would drown all others. That takes 0.01 % off a
 * cosine between rows at mean distance. A batch of 3 rows at least; angles take B^3 floats.
 */
export const relational: Loss<typeof options> = {
  name: 'relational',
  summary: 'distances of pairs and angles of triples of rows (RKD)',
  citation: 'Park et al., "Relational Knowledge Distillation", CVPR 2019, arXiv 1904.05068',
  formula: 'distance * mean h(d_s / mu_s - d_t / mu_t) + angle * mean h(cos_s - cos_t), h Huber',
  needs: ['features'],
  publishedWeight: () => 25,
  features: {
    align: 'none',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [[{ student: [5, 3], teacher: [5, 4] }], [{ student: [4, 3, 2, 2], teacher: [4, 2, 3] }]],
  },
  options,
  build({ b, features }, weights) {
    invariant(features, 'relational needs features');
    if (weights.distance === 0 && weights.angle === 0) {
      throw new RetortError(
        'SPEC_INVALID',
        '/objective/terms: "relational" has neither distances nor angles',
        {
          hint: 'Give "distance" or "angle" a number above 0.',
        },
      );
    }
    return meanOver(b, features, ({ student, teacher }) => {
      const [rows] = b.dims(student) as [number];
      demandRows('relational', rows, 3);
      const pairs = rows * (rows - 1);
      const [ours, theirs] = [pairsOf(b, student), pairsOf(b, teacher)];
      const between = (of: (pairs: Pairs) => string, count: number): string =>
        sumOver(b, huber(b, b.op('Sub', [of(ours), of(theirs)])), count);
      const parts = [
        { weight: weights.distance, make: () => between((each) => distances(b, each), pairs) },
        { weight: weights.angle, make: () => between((each) => angles(b, each), pairs * (rows - 2)) },
      ];
      return parts
        .filter(({ weight }) => weight > 0)
        .map(({ weight, make }) => b.op('Mul', [make(), b.constant(weight)]))
        .reduce((sum, part) => b.op('Add', [sum, part]));
    });
  },
  reference({ features }, weights) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [pooledOf(student), pooledOf(teacher)];
      const all = ours.map((_, i) => i);
      const pairs = all.flatMap((i) => all.filter((j) => j !== i).map((j) => [i, j] as const));
      const triples = pairs.flatMap(([i, j]) =>
        all.filter((k) => k !== i && k !== j).map((k) => [i, j, k] as const),
      );
      const length = (x: readonly number[]): number => Math.sqrt(dot(x, x) + TINY_SQUARE);
      const between = (rows: number[][], i: number, j: number) => rows[i]!.map((v, c) => v - rows[j]![c]!);
      const scale = (rows: number[][]) =>
        sumOf(pairs.map(([i, j]) => length(between(rows, i, j)))) / pairs.length;
      const [ourScale, theirScale] = [scale(ours), scale(theirs)];
      const cosine = (
        rows: number[][],
        mean: number,
        [i, j, k]: readonly [number, number, number],
      ): number => {
        const [x, y] = [between(rows, i, j), between(rows, k, j)];
        const floored = (z: readonly number[]) => Math.hypot(length(z), FLOOR * mean);
        return dot(x, y) / (floored(x) * floored(y));
      };
      const distances = pairs.map(([i, j]) =>
        huberOf(length(between(ours, i, j)) / ourScale - length(between(theirs, i, j)) / theirScale),
      );
      const angles = triples.map((of) =>
        huberOf(cosine(ours, ourScale, of) - cosine(theirs, theirScale, of)),
      );
      return (
        (weights.distance * sumOf(distances)) / pairs.length +
        (weights.angle * sumOf(angles)) / triples.length
      );
    });
  },
};

/** Of all pairs of rows: f_i - f_j at [j, i], [B, B, D]; lengths [B, B, 1]; their mean over i != j; 0 where i = j, else 1. */
interface Pairs {
  readonly between: string;
  readonly lengths: string;
  readonly mean: string;
  readonly off: string;
}

function pairsOf(b: GraphBuilder, x: string): Pairs {
  const rows = pooled(b, x);
  const [count] = b.dims(rows) as [number];
  const [first, second] = [b.op('Unsqueeze', [rows, b.ints([0])]), b.op('Unsqueeze', [rows, b.ints([1])])];
  const between = b.op('Sub', [first, second]);
  const square = b.op('ReduceSum', [b.op('Mul', [between, between]), b.ints([2])]);
  const lengths = b.op('Sqrt', [b.op('Add', [square, b.constant(TINY_SQUARE)])]);
  const apart = Array.from({ length: count * count }, (_, i) => Number(i % (count + 1) !== 0));
  const off = b.constant(apart, 'float32', [count, count]);
  const plain = b.op('Mul', [b.op('Squeeze', [lengths, b.ints([2])]), off]);
  return { between, lengths, off, mean: sumOver(b, plain, count * (count - 1)) };
}

/** Over their mean, [B, B]; 0 where two indices are the same. */
const distances = (b: GraphBuilder, { lengths, mean, off }: Pairs): string =>
  b.op('Div', [b.op('Mul', [b.op('Squeeze', [lengths, b.ints([2])]), off]), mean]);

/** Cosines [B, B, B]; 0 where two indices are the same. */
function angles(b: GraphBuilder, { between, lengths, mean, off }: Pairs): string {
  const [count] = b.dims(off) as [number];
  if (count ** 3 > MOST_ANGLES) {
    throw new RetortError(
      'SPEC_INVALID',
      `/objective/terms: "relational" would compare ${count}^3 angles, more than ${MOST_ANGLES}`,
      { hint: `Give train.batchSize ${Math.floor(Math.cbrt(MOST_ANGLES))} or less, or "angle": 0.` },
    );
  }
  const floor = b.op('Mul', [mean, b.constant(FLOOR)]);
  const squares = [lengths, floor].map((x) => b.op('Mul', [x, x]));
  const directions = b.op('Div', [between, b.op('Sqrt', [b.op('Add', squares)])]);
  const cosines = b.op('MatMul', [directions, b.op('Transpose', [directions], { perm: [0, 2, 1] })]);
  // i = k: the angle of a direction with itself, which is no relation.
  return b.op('Mul', [cosines, off]);
}

function huber(b: GraphBuilder, x: string): string {
  const size = b.op('Abs', [x]);
  const near = b.op('Min', [size, b.constant(1)]);
  return b.op('Mul', [near, b.op('Sub', [size, b.op('Mul', [near, b.constant(0.5)])])]);
}

const huberOf = (x: number): number => (Math.abs(x) < 1 ? x ** 2 / 2 : Math.abs(x) - 0.5);
