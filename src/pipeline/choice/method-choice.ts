import { RetortError } from '../../errors.ts';
import { candidateName } from '../../spec/auto-candidates.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import { choiceEvidence } from './choice-evidence.ts';
import { choiceReason } from './choice-reason.ts';
import type { Judgement } from './judge-candidates.ts';

/**
 * What both rounds have found, the one on short schedules and the one on the full length that decides, with reason and
 * evidence. `share` is the length of the short ones as a part of the job's. Throws TRAIN_DIVERGED where nothing could be
 * trained.
 */
export function methodChoice(
  short: Judgement,
  whole: Judgement,
  share: number,
): Omit<MethodChoice, 'measure'> {
  const { chosen } = whole;
  if (!chosen) {
    const failed = [...short.trials, ...whole.trials].filter(({ failure }) => failure !== undefined);
    throw new RetortError('TRAIN_DIVERGED', `no method could be trained: ${failed[0]?.failure}`, {
      hint: 'Lower train.optimizer.learningRate, or set train.clipNorm.',
      problems: failed.map(({ candidate, failure }) => `${candidateName(candidate)}: ${failure}`),
    });
  }
  return {
    method: chosen.candidate.method,
    terms: chosen.candidate.terms,
    reason: choiceReason(short, { ...whole, chosen }, share),
    rows: chosen.hits.length,
    share,
    seedSpread: short.seedSpread,
    evidence: [
      ...choiceEvidence(short, share, { trials: [short.safe, short.chosen], verdict: 'goes on' }),
      ...choiceEvidence(whole, 1, { trials: [chosen], verdict: 'chosen' }),
    ],
  };
}
