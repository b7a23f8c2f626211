import { candidateName } from '../../spec/auto-candidates.ts';
import type { Evidence } from '../../spec/method-choice.ts';
import { isBeyond, scoreOf } from './compare-hits.ts';
import type { Judgement, Trial } from './judge-candidates.ts';

/** What becomes of the trials that a round has taken, and in which words. */
export interface Taken {
  readonly trials: readonly (Trial | undefined)[];
  readonly verdict: string;
}

/**
 * A round as lines of evidence. A fancier loss stands against the better of the safe ones, the control against what it
 * would have to replace. `share` is the length of its trainings as a part of the job's.
 */
export const choiceEvidence = (judgement: Judgement, share: number, taken: Taken): readonly Evidence[] =>
  judgement.trials.map((trial) => evidenceOf(trial, judgement, share, taken));

function evidenceOf(
  trial: Trial,
  { safe, plain, distilled, compare }: Judgement,
  share: number,
  taken: Taken,
): Evidence {
  const { candidate, hits, failure } = trial;
  const { role, seed } = candidate;
  const about = { method: candidateName(candidate), role, share };
  const none = { against: null, difference: null, noise: null };
  if (!hits) return { ...about, score: null, ...none, verdict: `failed: ${failure}` };
  const score = scoreOf(hits);
  const rival = { plain, standardized: plain, fancier: safe, control: distilled }[role];
  const own = taken.trials.includes(trial) ? taken.verdict : undefined;
  if (!rival || rival.candidate === candidate) {
    return { ...about, score, ...none, verdict: own ?? 'reference' };
  }
  const found = compare({ ...trial, hits }, rival);
  const verdict = seed > 0 ? 'what a seed makes' : (own ?? verdictOf(found));
  return { ...about, score, against: rival.candidate.method, ...found, verdict };
}

function verdictOf(found: ReturnType<Judgement['compare']>): string {
  if (found.noise === null) return 'noise unknown';
  if (isBeyond(found)) return 'better, but not the best';
  return found.difference < -found.noise ? 'worse' : 'within noise';
}
