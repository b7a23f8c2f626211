import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { averageOver, meanOver, meanSquare, meanSquareOf } from './feature-means.ts';
import { flat, positionsOf, sumOf, sumOver, TINY_SQUARE, unit, unitOf } from './feature-shapes.ts';
import type { Loss } from './loss.ts';

const options = Type.Object(
  {
    definition: Type.Union([Type.Literal('repository'), Type.Literal('paper')], {
      default: 'repository',
      description: "mean of squared differences (authors' code) or mean length of the difference (paper)",
    }),
  },
  { additionalProperties: false },
);

/**
 * Attention maps: q(F) = Q / |Q|, Q = vec(sum_c F_c^2) over the positions of a map [B, C, H, W]. Two definitions are about:
 * - `repository`: L = 1 / (B H W) * sum (q_s - q_t)^2, what the authors' code computes and others copied (weight 1000);
 * - `paper`: L = 1 / B * sum_b |q_s - q_t|, equation 2, whose factor beta / 2 is the term's weight.
 * Sum or mean over channels makes no difference to q. Several pairs are averaged; the papers sum them. Norms are
 * sqrt(sum + 1e-12), so that the gradient is finite where a map or the difference is 0.
 */
export const attentionTransfer: Loss<typeof options> = {
  name: 'attention-transfer',
  summary: 'difference of normalised spatial attention maps',
  citation:
    'Zagoruyko, Komodakis, "Paying More Attention to Attention", ICLR 2017, arXiv 1612.03928; github.com/szagoruyko/attention-transfer',
  formula: 'mean (q_s - q_t)^2, or 1 / B * sum |q_s - q_t|; q = Q / |Q|, Q = sum_c F_c^2',
  needs: ['features'],
  publishedWeight: ({ definition }) => (definition === 'repository' ? 1000 : undefined),
  features: {
    align: 'positions',
    ranks: [4],
    auto: 'every',
    samples: [[{ student: [4, 3, 2, 3], teacher: [4, 5, 2, 3] }]],
  },
  options,
  build({ b, features }, { definition }) {
    invariant(features, 'attention-transfer needs features');
    const map = (x: string): string =>
      unit(b, flat(b, b.op('ReduceSum', [b.op('Mul', [x, x]), b.ints([1])], { keepdims: 0 })), 1);
    return meanOver(b, features, ({ student, teacher }) => {
      const difference = b.op('Sub', [map(student), map(teacher)]);
      if (definition === 'repository') return meanSquare(b, difference);
      const square = b.op('ReduceSum', [b.op('Mul', [difference, difference]), b.ints([1])]);
      const length = b.op('Sqrt', [b.op('Add', [square, b.constant(TINY_SQUARE)])]);
      return sumOver(b, length, b.dims(length)[0]!);
    });
  },
  reference({ features }, { definition }) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [student, teacher].map((array) =>
        positionsOf(array).map((row) => unitOf(row.map((at) => sumOf(at.map((value) => value ** 2))))),
      );
      const differences = ours!.map((row, i) => row.map((value, p) => value - theirs![i]![p]!));
      if (definition === 'repository') return meanSquareOf(differences.flat());
      const lengths = differences.map((row) => Math.sqrt(sumOf(row.map((v) => v ** 2)) + TINY_SQUARE));
      return sumOf(lengths) / lengths.length;
    });
  },
};
