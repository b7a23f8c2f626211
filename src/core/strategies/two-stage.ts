import Type from 'typebox';
import type { Strategy } from './strategy.ts';
import { alone, demand, isHard, readsInside, readsTeacherLogits } from './terms.ts';

const options = Type.Object(
  {
    first: Type.Number({
      default: 0.5,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'part of the steps that the first stage makes',
    }),
  },
  { additionalProperties: false },
);

/**
 * The objective in two parts, one after the other. With terms on inner tensors: the hints first, then the rest (FitNets,
 * with weights as they are). Without: the labels first, of weight 1, then the soft targets.
 */
export const twoStage: Strategy<typeof options> = {
  name: 'two-stage',
  summary: 'hints and then the rest, where the objective has hints; else labels and then soft targets',
  citation: 'Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015, arXiv 1412.6550',
  options,
  phases(terms, { first }) {
    const second = 1 - first;
    const hints = terms.filter(readsInside);
    if (hints.length > 0) {
      const rest = terms.filter((term) => !readsInside(term));
      demand('two-stage', rest, 'reads labels or logits', 'Add one for the second stage: "kl".');
      return [
        // Hints train no classifier, so its accuracy says nothing of them.
        { name: 'hints', terms: hints, share: first, select: 'last' },
        { name: 'rest', terms: rest, share: second, from: 'hints' },
      ];
    }
    const hard = demand('two-stage', terms.filter(isHard), 'reads labels alone', 'Add "cross-entropy".');
    const soft = terms.filter((term) => !isHard(term));
    demand('two-stage', soft.filter(readsTeacherLogits), 'reads the teacher', 'Add one: "kl".');
    return [
      { name: 'labels', terms: alone(hard), share: first },
      { name: 'soft-targets', terms: soft, share: second, from: 'labels' },
    ];
  },
};
