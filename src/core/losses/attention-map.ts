import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { averageOver, meanOver, meanSquare, meanSquareOf } from './feature-means.ts';
import type { Loss } from './loss.ts';

const options = Type.Object({}, { additionalProperties: false });

/** Scores up to here are masked positions, not scores. */
const MASKED = -100;

/**
 * Attention of transformers: L = 1 / P * sum_p mean (A_s - A_t)^2 over all elements of P pairs of scores [B, heads, L, L] in
 * front of their softmax, scores up to -100 taken for masked and set to 0 on both sides, as the authors' code does. Heads
 * and lengths must agree. The paper sums layers. Tensors are named in the spec: no layer ends with its scores.
 */
export const attentionMap: Loss<typeof options> = {
  name: 'attention-map',
  summary: 'mean squared difference of attention scores before their softmax (TinyBERT)',
  citation:
    'Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding", Findings of EMNLP 2020, arXiv 1909.10351',
  formula: '1 / P * sum_p mean (A_s - A_t)^2',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'same',
    ranks: [4],
    samples: [[{ student: [3, 2, 3, 3], teacher: [3, 2, 3, 3] }]],
  },
  options,
  build({ b, features }) {
    invariant(features, 'attention-map needs features');
    return meanOver(b, features, ({ student, teacher }) =>
      meanSquare(b, b.op('Sub', [unmasked(b, student), unmasked(b, teacher)])),
    );
  },
  reference({ features }) {
    const score = (value: number): number => (value <= MASKED ? 0 : value);
    return averageOver(features!, ({ student, teacher }) =>
      meanSquareOf(student.data.map((s, i) => score(s) - score(teacher.data[i]!))),
    );
  },
};

const unmasked = (b: GraphBuilder, scores: string): string =>
  b.op('Where', [b.op('LessOrEqual', [scores, b.constant(MASKED)]), b.constant(0), scores]);
