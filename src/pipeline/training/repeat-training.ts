import { recorded } from '../recorded.ts';
import type { Trained } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { TrainRecord } from './train-record.ts';

/** The part of a stage's key that says how often it trains: nothing for once. */
export const repeatsKey = (seeds: number) => (seeds > 1 ? { seeds } : {});

/** What the training with the `index`-th seed goes by: the first as the training of a job with a single seed. */
export const ofRepeat = ({ key, ...record }: TrainRecord, index: number): TrainRecord => ({
  ...record,
  key: index === 0 ? key : { ...key, repeat: index },
});

/**
 * Trains once per seed of the job. Each has a record of its own, the first one that of a job with a single seed: a stop
 * costs nothing that is finished, and a job that asks for more seeds makes only those it lacks. `record` is
 * the stage's but for the seeds.
 */
export async function repeatTraining(
  record: TrainRecord,
  context: StageContext,
  train: (index: number, context: StageContext) => Promise<Trained>,
): Promise<readonly Trained[]> {
  const { seeds } = context.spec;
  if (seeds === 1) return [await train(0, context)];
  const runs: Trained[] = [];
  for (let index = 0; index < seeds; index++) {
    const name = `seed ${index + 1} of ${seeds}`;
    const within: StageContext = {
      ...context,
      progress: (done, total, note) =>
        context.progress(index * total + done, seeds * total, note ? `${name}, ${note}` : name),
      emit: (type, data) =>
        context.emit(type, index === 0 ? data : { ...(data as object), run: `${record.name}-${index + 1}` }),
    };
    runs.push(
      await recorded(ofRepeat(record, index), within, (recordedContext) => train(index, recordedContext)),
    );
  }
  return runs;
}

/** Several trainings as one: what counts is the `chosen`. */
export const asOne = (runs: readonly Trained[], chosen: number): Trained =>
  runs.length === 1 ? runs[0]! : { ...runs[chosen]!, repeated: { runs, chosen } };

/** The best on validation, the first of equals; by accuracy, or where no row has a label by agreement. */
export function bestRun(runs: readonly Trained[]): number {
  const scores = runs.map(({ validation }) => validation.accuracy ?? validation.agreement ?? -1);
  return scores.indexOf(Math.max(...scores));
}
