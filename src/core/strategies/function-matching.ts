import Type from 'typebox';
import type { Strategy } from './strategy.ts';
import { readsLabels, refuse } from './terms.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * A patient and consistent teacher: the divergence alone at temperature 1, on the very pixels that the teacher saw in the
 * same epoch, mixed with weights uniform on [0, 1] (Beta(1, 1)), for very long. What it sets of `train` is the published
 * recipe as far as it fits any data; crops and flips of pictures are the spec's to add, beside the mixup.
 */
export const functionMatching: Strategy<typeof options> = {
  name: 'function-matching',
  summary: 'the divergence alone on mixed rows, for very long: 300 epochs unless the spec says otherwise',
  citation:
    'Beyer et al., "Knowledge Distillation: A Good Teacher is Patient and Consistent", CVPR 2022, arXiv 2106.05237',
  options,
  terms: () => [{ loss: 'kl', temperature: 1 }],
  train: {
    epochs: 300,
    optimizer: { name: 'adam' },
    schedule: { name: 'cosine', warmup: 0.02 },
    clipNorm: 1,
    augment: [{ name: 'mixup', alpha: 1 }],
  },
  withoutLabels: true,
  phases(terms) {
    refuse('function-matching', terms.filter(readsLabels), 'reads labels', 'It matches the teacher alone.');
    return [{ name: 'all', terms, share: 1 }];
  },
};
