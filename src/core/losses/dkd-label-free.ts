import { decoupled, decoupledOptions, decoupledReference, refusesDecoupledPairs } from './decoupled.ts';
import type { Loss } from './loss.ts';

/**
 * `dkd` without labels: the teacher's choice takes the label's place. Where the teacher is right it is `dkd`.
 * The idea is PaddleSlim's (`_dkd_loss`); the definition is ours, since that code feeds probabilities where logarithms
 * belong and divides by B C.
 */
export const dkdLabelFree: Loss<typeof decoupledOptions> = {
  name: 'dkd-label-free',
  summary: "decoupled distillation whose target is the teacher's choice: needs no labels",
  citation: 'Zhao et al., "Decoupled Knowledge Distillation", CVPR 2022, arXiv 2203.08679',
  formula: 'T^2 / B * sum (alpha TCKD + beta NCKD), target = argmax z_t',
  needs: ['teacher-logits'],
  options: decoupledOptions,
  temperature: 4,
  refusesPairs: refusesDecoupledPairs,
  build: ({ labels: _unused, ...context }, given) => decoupled(context, given),
  reference: (numbers, given) => decoupledReference(numbers, given, false),
};
