import { RetortError } from '../../errors.ts';
import type { Candidate } from '../../spec/auto-candidates.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import type { BlobRef } from '../ports.ts';
import { recorded } from '../recorded.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { ofRepeat } from '../training/repeat-training.ts';
import { distilledRun } from '../training/student-run.ts';
import { trainRecord } from '../training/train-record.ts';
import { trainStudent } from '../training/train-student.ts';
import { trainingSeed } from '../training/training-seed.ts';
import { type TrialLength, trialSpec } from './trial-spec.ts';
import { validationHits } from './validation-hits.ts';

/** Of what a trial leaves. */
const VERSION = 2;

/** What a trial leaves, as JSON: which validation rows it gets right, or why it failed. */
export type TriedCandidate =
  | { readonly hits: BlobRef; readonly measure: MethodChoice['measure'] }
  | { readonly failure: string };

/**
 * Trains a candidate and looks at every validation row. The training has the record that the stage `train` would have of
 * such a job, so the one that wins on the whole length is not made again; what was seen has a record of its own.
 */
export async function tryCandidate(
  candidate: Candidate,
  length: TrialLength,
  done: Results,
  context: StageContext,
): Promise<TriedCandidate> {
  const within = { ...context, spec: trialSpec(candidate, length, context.spec) };
  const { spec } = within;
  const training = ofRepeat(trainRecord(done, spec), candidate.seed);
  const run = {
    ...distilledRun(spec),
    name: 'choose',
    seed: trainingSeed(spec.seed, candidate.seed),
  } as const;
  const key = { training: training.key, round: length };
  return recorded({ name: 'choose', version: VERSION, key }, within, async (own) => {
    try {
      const trained = await recorded(training, own, (partial) => trainStudent(run, done, partial));
      const { hits, measure } = await validationHits(trained, done, own);
      return { hits: await context.blobs.put(hits), measure };
    } catch (error) {
      // The others may be well; what is wrong with the job itself fails them all.
      if (error instanceof RetortError && error.code === 'TRAIN_DIVERGED') return { failure: error.message };
      throw error;
    }
  });
}
