import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, pooled, pooledOf, sumOf, sumOver, TINY_SQUARE } from './feature-shapes.ts';
import type { Loss } from './loss.ts';

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
 * Lengths are sqrt(. + 1e-12): equal rows have a finite gradient. A batch of 3 rows at least; angles take B^3 floats.
 */
export const relational: Loss<typeof options> = {
  name: 'relational',
  summary: 'distances of pairs and angles of triples of rows (RKD)',
  citation: 'Park et al., "Relational Knowledge Distillation", CVPR 2019, arXiv 1904.05068',
  formula: 'distance * mean h(d_s / mu_s - d_t / mu_t) + angle * mean h(cos_s - cos_t), h Huber',
  needs: ['features'],
  publishedWeight: 25,
  features: {
    align: 'none',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [[{ student: [5, 3], teacher: [5, 4] }], [{ student: [4, 3, 2, 2], teacher: [4, 2, 3] }]],
  },
  options,
  build({ b, features }, weights) {
    invariant(features, 'relational needs features');
    return meanOver(b, features, ({ student, teacher }) => {
      const [ours, theirs] = [relations(b, student), relations(b, teacher)];
      const [rows] = b.dims(student) as [number];
      invariant(rows >= 3, 'relational needs batches of 3 rows');
      const pairs = rows * (rows - 1);
      const distance = sumOver(b, huber(b, b.op('Sub', [ours.distances, theirs.distances])), pairs);
      const angle = sumOver(b, huber(b, b.op('Sub', [ours.angles, theirs.angles])), pairs * (rows - 2));
      const weighted = (value: string, weight: number): string => b.op('Mul', [value, b.constant(weight)]);
      return b.op('Add', [weighted(distance, weights.distance), weighted(angle, weights.angle)]);
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
      const cosine = (rows: number[][], i: number, j: number, k: number): number => {
        const [x, y] = [between(rows, i, j), between(rows, k, j)];
        return dot(x, y) / (length(x) * length(y));
      };
      const distances = pairs.map(([i, j]) =>
        huberOf(length(between(ours, i, j)) / ourScale - length(between(theirs, i, j)) / theirScale),
      );
      const angles = triples.map(([i, j, k]) => huberOf(cosine(ours, i, j, k) - cosine(theirs, i, j, k)));
      return (
        (weights.distance * sumOf(distances)) / pairs.length +
        (weights.angle * sumOf(angles)) / triples.length
      );
    });
  },
};

/** Distances [B, B] over their mean, and angles [B, B, B]; 0 where two indices are the same. */
function relations(b: GraphBuilder, x: string): { readonly distances: string; readonly angles: string } {
  const rows = pooled(b, x);
  const [count] = b.dims(rows) as [number];
  // [j, i] holds f_i - f_j.
  const [first, second] = [b.op('Unsqueeze', [rows, b.ints([0])]), b.op('Unsqueeze', [rows, b.ints([1])])];
  const between = b.op('Sub', [first, second]);
  const square = b.op('ReduceSum', [b.op('Mul', [between, between]), b.ints([2])]);
  const lengths = b.op('Sqrt', [b.op('Add', [square, b.constant(TINY_SQUARE)])]);
  const apart = Array.from({ length: count * count }, (_, i) => Number(i % (count + 1) !== 0));
  const off = b.constant(apart, 'float32', [count, count]);
  const plain = b.op('Mul', [b.op('Squeeze', [lengths, b.ints([2])]), off]);
  const directions = b.op('Div', [between, lengths]);
  const cosines = b.op('MatMul', [directions, b.op('Transpose', [directions], { perm: [0, 2, 1] })]);
  return {
    distances: b.op('Div', [plain, sumOver(b, plain, count * (count - 1))]),
    // i = k: the angle of a direction with itself, which is no relation.
    angles: b.op('Mul', [cosines, off]),
  };
}

function huber(b: GraphBuilder, x: string): string {
  const size = b.op('Abs', [x]);
  const near = b.op('Min', [size, b.constant(1)]);
  return b.op('Mul', [near, b.op('Sub', [size, b.op('Mul', [near, b.constant(0.5)])])]);
}

const huberOf = (x: number): number => (Math.abs(x) < 1 ? x ** 2 / 2 : Math.abs(x) - 0.5);
