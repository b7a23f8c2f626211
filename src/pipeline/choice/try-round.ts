import { type Candidate, candidateName } from '../../spec/auto-candidates.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Trial } from './judge-candidates.ts';
import type { TrialProgress } from './trial-progress.ts';
import type { TrialLength } from './trial-spec.ts';
import { tryCandidate } from './try-candidate.ts';

/** Trials of one length. */
export interface Round {
  readonly candidates: readonly Candidate[];
  readonly length: TrialLength;
  /** What all of them together count in the progress of the stage. */
  readonly weight: number;
}

export interface TriedRound {
  readonly trials: readonly Trial[];
  /** Undefined where none could be trained. */
  readonly measure?: MethodChoice['measure'];
}

/** Tries the candidates of a round, one after the other; what an earlier attempt has finished is not done again. */
export async function tryRound(
  { candidates, length, weight }: Round,
  progress: TrialProgress,
  done: Results,
  context: StageContext,
): Promise<TriedRound> {
  const trials: Trial[] = [];
  let measure: MethodChoice['measure'] | undefined;
  for (const candidate of candidates) {
    const method = candidateName(candidate);
    const name = length === 'short' ? `${method}, short` : method;
    const tried = await tryCandidate(candidate, length, done, {
      ...context,
      progress: progress.next(weight / candidates.length, name),
      emit: (type, data) => context.emit(type, { ...(data as object), run: `choose: ${name}` }),
    });
    if ('failure' in tried) trials.push({ candidate, failure: tried.failure });
    else {
      measure = tried.measure;
      trials.push({ candidate, hits: await context.blobs.get(tried.hits.hash) });
    }
  }
  return { trials, ...(measure ? { measure } : {}) };
}
