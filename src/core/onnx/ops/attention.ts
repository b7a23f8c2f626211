import { intAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { dtypeOf, plainType, rankedShape, shapeOf } from './context.ts';
import { define, sample } from './define.ts';
import { isKnown, mapDim, productOf } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/**
 * Scaled dot-product attention (opset 23): q, k, v as [B, heads, S, D] or, packed, [B, S, heads D]; outputs the result in the
 * form of q, then the present keys and values [B, heads, T, D] and the scores [B, heads, S, T].
 */

interface Heads {
  readonly heads: Dim;
  readonly length: Dim;
  readonly width: Dim;
}

function headsOf(shape: Shape | undefined, heads: number | undefined): Heads {
  if (!shape) return { heads: '', length: '', width: '' };
  if (shape.length === 4) return { heads: shape[1]!, length: shape[2]!, width: shape[3]! };
  const width = heads ? mapDim(shape[2]!, (d) => d / heads) : '';
  return { heads: heads ?? '', length: shape[1]!, width };
}

function inferAttention(c: InferContext): ValueType[] {
  const q = rankedShape(c, 0, 3, 4);
  const kvHeads = intAttribute(c.node, 'kv_num_heads');
  const query = headsOf(q, intAttribute(c.node, 'q_num_heads'));
  const key = headsOf(rankedShape(c, 1, 3, 4), kvHeads);
  const value = headsOf(rankedShape(c, 2, 3, 4), kvHeads);
  const batch = q?.[0] ?? '';
  const past = shapeOf(c, 4)?.[2] ?? (c.inputs[4] ? '' : 0);
  const total = isKnown(past) && isKnown(key.length) ? past + key.length : past === 0 ? key.length : '';
  const packed = [batch, query.length, productOf([query.heads, value.width])];
  const whole = [batch, query.heads, query.length, value.width];
  const dtype = dtypeOf(c, 0);
  return [
    { dtype, shape: q && (q.length === 3 ? packed : whole) },
    { dtype: dtypeOf(c, 1), shape: [batch, key.heads, total, key.width] },
    { dtype: dtypeOf(c, 2), shape: [batch, value.heads, total, value.width] },
    { dtype, shape: [batch, query.heads, query.length, total] },
  ];
}

/** q k^T and p v: B heads S T (D + Dv). */
function macs(c: InferContext): number {
  const scores = inferAttention(c)[3]!.shape!;
  const [d, dv] = [
    headsOf(shapeOf(c, 0), intAttribute(c.node, 'q_num_heads')).width,
    headsOf(shapeOf(c, 2), intAttribute(c.node, 'kv_num_heads')).width,
  ];
  const product = isKnown(d) && isKnown(dv) ? productOf([...scores, d + dv]) : '';
  return isKnown(product) ? product : 0;
}

const samples = {
  Attention: [
    sample(
      [
        [2, 3, 4, 8],
        [2, 3, 5, 8],
        [2, 3, 5, 6],
      ],
      {},
      { opset: 23 },
    ),
    sample(
      [
        [2, 4, 12],
        [2, 5, 12],
        [2, 5, 12],
      ],
      { q_num_heads: 3, kv_num_heads: 3 },
      { opset: 23 },
    ),
  ],
  RotaryEmbedding: [
    sample(
      [
        [2, 3, 4, 8],
        [2, 4, 4],
        [2, 4, 4],
      ],
      {},
      { opset: 23 },
    ),
  ],
};

export const attention = define(
  [
    { op: 'Attention', infer: inferAttention, macs },
    { op: 'RotaryEmbedding', infer: (c) => [plainType(c, 0)] },
  ],
  samples,
);
