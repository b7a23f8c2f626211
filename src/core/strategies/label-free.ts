import Type from 'typebox';
import type { Strategy } from './strategy.ts';
import { readsLabels, refuse } from './terms.ts';

const options = Type.Object({}, { additionalProperties: false });

/** The teacher alone: no term may read a label. Where the spec names no objective, Hinton's divergence. */
export const labelFree: Strategy<typeof options> = {
  name: 'label-free',
  summary: 'one run that learns from the teacher alone, on rows with or without labels',
  citation: 'Hinton, Vinyals, Dean, 2015, arXiv 1503.02531, section 2 (transfer sets without labels)',
  options,
  terms: () => [{ loss: 'kl' }],
  withoutLabels: true,
  phases(terms) {
    refuse('label-free', terms.filter(readsLabels), 'reads labels', 'Leave it out, or take "single-stage".');
    return [{ name: 'all', terms, share: 1 }];
  },
};
