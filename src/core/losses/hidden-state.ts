import Type from 'typebox';
import type { Loss } from './loss.ts';
import { squaredDifference, squaredDifferenceOf } from './squared-difference.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Hidden states of transformers: L = 1 / P * sum_p mean (H_s W_p - H_t)^2 over P pairs of sequences [B, L, D], the mean over
 * all elements; the paper sums layers. W, with bias, stands where widths differ. Every position counts, padding too. The
 * published layers are g(m) = m L_t / L_s: name them, or let `auto` pair layers of like depth.
 */
export const hiddenState: Loss<typeof options> = {
  name: 'hidden-state',
  summary: 'mean squared difference of the hidden states of transformers (TinyBERT)',
  citation:
    'Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding", Findings of EMNLP 2020, arXiv 1909.10351',
  formula: '1 / P * sum_p mean (H_s W - H_t)^2',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'shape',
    ranks: [3],
    auto: 'every',
    samples: [
      [
        { student: [3, 4, 2], teacher: [3, 4, 2] },
        { student: [3, 2, 5], teacher: [3, 2, 5] },
      ],
    ],
  },
  options,
  build: squaredDifference,
  reference: squaredDifferenceOf,
};
