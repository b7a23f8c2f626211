import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { demandRows } from './demand-rows.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, pooled, pooledOf, sumOf, sumOver, unit, unitOf } from './feature-shapes.ts';
import type { NumberArray } from './features.ts';
import type { Loss } from './loss.ts';

const options = Type.Object({}, { additionalProperties: false });

/** Added to every likeness: opposite vectors have one of 0, whose logarithm there is not. */
const LEAST = 1e-7;

/**
 * Probabilities of neighbours: s_ij = (cos(f_i, f_j) + 1) / 2 + 1e-7, P_ij = s_ij / sum_j s_ij, L = 1 / B * sum_ij
 * P_t ln(P_t / P_s): the divergence of a row's neighbourhoods, averaged over rows. One vector per row (maps and sequences
 * averaged over their positions); widths are free. The authors' code takes the mean over all B^2 entries, so L is B times
 * that: its weight 30000 at 64 rows is 470 here. The row itself is among its neighbours, as there.
 */
export const pkt: Loss<typeof options> = {
  name: 'pkt',
  summary: 'divergence of neighbourhood probabilities within the batch',
  citation:
    'Passalis, Tefas, "Learning Deep Representations with Probabilistic Knowledge Transfer", ECCV 2018, arXiv 1803.10837',
  formula: '1 / B * sum_ij P_t ln(P_t / P_s), P_ij ~ (cos(f_i, f_j) + 1) / 2',
  needs: ['features'],
  publishedWeight: () => 470,
  features: {
    align: 'none',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [[{ student: [5, 3], teacher: [5, 4] }], [{ student: [4, 3, 2, 2], teacher: [4, 2, 3] }]],
  },
  options,
  build({ b, features }) {
    invariant(features, 'pkt needs features');
    return meanOver(b, features, ({ student, teacher }) => {
      demandRows('pkt', b.dims(student)[0]!, 2);
      const [ours, theirs] = [neighbours(b, student), neighbours(b, teacher)];
      const ratio = b.op('Sub', [b.op('Log', [theirs]), b.op('Log', [ours])]);
      return sumOver(b, b.op('Mul', [theirs, ratio]), b.dims(ours)[0]!);
    });
  },
  reference({ features }) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [neighboursOf(student), neighboursOf(teacher)];
      const rows = theirs.map((row, i) => sumOf(row.map((p, j) => p * Math.log(p / ours[i]![j]!))));
      return sumOf(rows) / rows.length;
    });
  },
};

function neighbours(b: GraphBuilder, x: string): string {
  const rows = unit(b, pooled(b, x), 1);
  const cosines = b.op('MatMul', [rows, b.op('Transpose', [rows], { perm: [1, 0] })]);
  // Rounding may bring a cosine a little below -1.
  const likeness = b.op('Max', [
    b.op('Add', [b.op('Mul', [cosines, b.constant(0.5)]), b.constant(0.5)]),
    b.constant(0),
  ]);
  const positive = b.op('Add', [likeness, b.constant(LEAST)]);
  return b.op('Div', [positive, b.op('ReduceSum', [positive, b.ints([1])])]);
}

function neighboursOf(array: NumberArray): number[][] {
  const rows = pooledOf(array).map(unitOf);
  return rows.map((row) => {
    const likeness = rows.map((other) => Math.max(0, (dot(row, other) + 1) / 2) + LEAST);
    return likeness.map((value) => value / sumOf(likeness));
  });
}
