import { invariant } from '../../errors.ts';
import { decoupled, decoupledOptions, decoupledReference, refusesDecoupledPairs } from './decoupled.ts';
import type { Loss } from './loss.ts';

/**
 * Decoupled knowledge distillation: L = T^2 / B * sum_b (alpha TCKD + beta NCKD), see `decoupled`. The target is the
 * label's class; of a smoothed or mixed label its largest, in rows without a label the teacher's choice.
 *
 * Published: alpha 1, T 4, beta 8 for most CIFAR-100 pairs (6 or 2 for some), beta 0.5 at T 1 on ImageNet, besides
 * cross-entropy of weight 1, the whole growing from 0 over 20 epochs (not here: a schedule of weights would be the
 * place). PaddleSlim's version feeds probabilities where logarithms belong; ours is the paper's.
 */
export const dkd: Loss<typeof decoupledOptions> = {
  name: 'dkd',
  summary: 'decoupled distillation: the target class and the others weighted apart',
  citation: 'Zhao et al., "Decoupled Knowledge Distillation", CVPR 2022, arXiv 2203.08679',
  formula: 'T^2 / B * sum (alpha TCKD + beta NCKD)',
  publishedWeight: () => 1,
  needs: ['teacher-logits', 'labels'],
  options: decoupledOptions,
  temperature: 4,
  refusesPairs: refusesDecoupledPairs,
  build(context, given) {
    invariant(context.labels, 'dkd needs labels');
    return decoupled(context, given);
  },
  reference: (numbers, given) => decoupledReference(numbers, given, true),
};
