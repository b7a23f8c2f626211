import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { demandRows } from './demand-rows.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, flat, rowsOf, sumOf, sumOver, unit, unitOf } from './feature-shapes.ts';
import type { NumberArray } from './features.ts';
import type { Loss } from './loss.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Which rows of the batch are alike: G = A A^T with A the batch flattened to [B, n], its rows at length 1;
 * L = 1 / B * sum_ij (G_t - G_s)^2. The paper divides by B^2; since each row of G has length 1 whatever B, its weight
 * would have to grow with the batch. So L is B times the published one: its weight 3000 at 64 rows is 47 here. Widths and
 * positions of both sides are free. A row of zeros stays one (length sqrt(. + 1e-12)).
 */
export const similarityPreserving: Loss<typeof options> = {
  name: 'similarity-preserving',
  summary: 'squared difference of the row-normalised Gram matrices of the batch',
  citation: 'Tung, Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019, arXiv 1907.09682',
  formula: '1 / B * |G_t - G_s|_F^2, G = A A^T with rows of length 1',
  needs: ['features'],
  publishedWeight: () => 47,
  features: {
    align: 'none',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [[{ student: [4, 3, 2, 2], teacher: [4, 5] }]],
  },
  options,
  build({ b, features }) {
    invariant(features, 'similarity-preserving needs features');
    return meanOver(b, features, ({ student, teacher }) => {
      demandRows('similarity-preserving', b.dims(student)[0]!, 2);
      const difference = b.op('Sub', [gram(b, teacher), gram(b, student)]);
      return sumOver(b, b.op('Mul', [difference, difference]), b.dims(difference)[0]!);
    });
  },
  reference({ features }) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [gramOf(student), gramOf(teacher)];
      return (
        sumOf(ours.map((row, i) => sumOf(row.map((value, j) => (value - theirs[i]![j]!) ** 2)))) / ours.length
      );
    });
  },
};

function gram(b: GraphBuilder, x: string): string {
  const rows = flat(b, x);
  return unit(b, b.op('MatMul', [rows, b.op('Transpose', [rows], { perm: [1, 0] })]), 1);
}

function gramOf(array: NumberArray): number[][] {
  const rows = rowsOf(array);
  return rows.map((row) => unitOf(rows.map((other) => dot(row, other))));
}
