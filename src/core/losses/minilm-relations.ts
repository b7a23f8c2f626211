import Type from 'typebox';
import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { dot, positionsOf, sumOf, sumOver } from './feature-shapes.ts';
import type { NumberArray } from './features.ts';
import type { Loss } from './loss.ts';
import { logSoftmaxRow } from './softened.ts';

const options = Type.Object(
  {
    heads: Type.Integer({
      minimum: 1,
      default: 12,
      description: 'A: relation heads; a divisor of the widths of both sides',
    }),
  },
  { additionalProperties: false },
);

/**
 * Relations of queries, keys and values: a pair [B, L, D] each is cut into A relation heads of d = D / A numbers, whatever
 * heads the networks have; R = softmax(X X^T / sqrt(d)) [B, A, L, L]; L = 1 / P * sum_p 1 / (B A L) * sum KL(R_t, R_s) over P
 * pairs. Widths may differ, lengths not. MiniLMv2 sums the three of one layer of each network (its base models: A = 48):
 * that is 3 times ours; with the values alone and A = heads it is the second term of MiniLM (arXiv 2002.10957). Every position counts, padding
 * too. Tensors are named in the spec: [B, L, D] as they leave their projections, before heads are cut.
 */
export const minilmRelations: Loss<typeof options> = {
  name: 'minilm-relations',
  summary: 'divergence of the self-relations of queries, keys and values (MiniLMv2)',
  citation:
    'Wang et al., "MiniLMv2: Multi-Head Self-Attention Relation Distillation", Findings of ACL 2021, arXiv 2012.15828',
  formula: '1 / (P B A L) * sum KL(softmax(X_t X_t^T / sqrt(d_t)), softmax(X_s X_s^T / sqrt(d_s)))',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'none',
    ranks: [3],
    samples: [
      [
        { student: [2, 3, 4], teacher: [2, 3, 8] },
        { student: [2, 3, 6], teacher: [2, 3, 4] },
      ],
    ],
    trial: { heads: 2 },
  },
  options,
  build({ b, features }, { heads }) {
    invariant(features, 'minilm-relations needs features');
    return meanOver(b, features, ({ student, teacher }) => {
      if (b.dims(student)[1] !== b.dims(teacher)[1]) {
        refuse(`compares sequences of one length, not ${b.dims(student)[1]} and ${b.dims(teacher)[1]}`);
      }
      const [ours, theirs] = [relations(b, student, heads), relations(b, teacher, heads)];
      const divergence = b.op('Mul', [b.op('Exp', [theirs]), b.op('Sub', [theirs, ours])]);
      const [batch, , length] = b.dims(ours) as [number, number, number];
      return sumOver(b, divergence, batch * heads * length);
    });
  },
  reference({ features }, { heads }) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [relationsOf(student, heads), relationsOf(teacher, heads)];
      const rows = theirs.map((row, i) => sumOf(row.map((t, j) => Math.exp(t) * (t - ours[i]![j]!))));
      return sumOf(rows) / rows.length;
    });
  },
};

function refuse(why: string, hint = 'Name other tensors in "from" and "to" of that term.'): never {
  throw new RetortError('SPEC_INVALID', `/objective/terms: "minilm-relations" ${why}`, { hint });
}

/** ln R, [B, A, L, L]. */
function relations(b: GraphBuilder, x: string, heads: number): string {
  const [batch, length, width] = b.dims(x) as [number, number, number];
  if (width % heads !== 0) {
    refuse(
      `cannot cut ${width} numbers into ${heads} heads`,
      'Give "heads" that divides the widths of both sides.',
    );
  }
  const size = width / heads;
  const cut = b.op('Reshape', [x, b.ints([batch, length, heads, size])]);
  const rows = b.op('Transpose', [cut], { perm: [0, 2, 1, 3] });
  const products = b.op('MatMul', [rows, b.op('Transpose', [cut], { perm: [0, 2, 3, 1] })]);
  return b.op('LogSoftmax', [b.op('Div', [products, b.constant(Math.sqrt(size))])], { axis: 3 });
}

/** ln R by row of the batch, head and position. */
const relationsOf = (array: NumberArray, heads: number): number[][] =>
  positionsOf(array).flatMap((row) => {
    const size = row[0]!.length / heads;
    return Array.from({ length: heads }, (_, h) =>
      row.map((at) => at.slice(h * size, (h + 1) * size)),
    ).flatMap((head) =>
      head.map((query) => logSoftmaxRow(head.map((key) => dot(query, key) / Math.sqrt(size)))),
    );
  });
