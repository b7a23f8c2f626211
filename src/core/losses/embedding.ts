import Type from 'typebox';
import type { Loss } from './loss.ts';
import { squaredDifference, squaredDifferenceOf } from './squared-difference.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * What enters the first layer of a transformer: L = mean (E_s W - E_t)^2 over all elements of sequences [B, L, D]; W, with
 * bias, stands where widths differ. `auto` takes the first sequence of either: behind the sum of token and position, where
 * a normalisation or a residual sum makes it a layer.
 */
export const embedding: Loss<typeof options> = {
  name: 'embedding',
  summary: 'mean squared difference of the embeddings of transformers (TinyBERT)',
  citation:
    'Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding", Findings of EMNLP 2020, arXiv 1909.10351',
  formula: 'mean (E_s W - E_t)^2',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'shape',
    ranks: [3],
    auto: 'first',
    samples: [[{ student: [3, 4, 2], teacher: [3, 4, 2] }]],
  },
  options,
  build: squaredDifference,
  reference: squaredDifferenceOf,
};
