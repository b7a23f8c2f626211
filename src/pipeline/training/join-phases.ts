import type { BlobStore } from '../ports.ts';
import type { Trained } from '../results.ts';
import type { StepTimes } from './train-chunk.ts';
import type { TrainedPhase } from './training-run.ts';

/** Finished phases as one run: what the last one has made, steps and log of all together. */
export async function joinPhases(phases: readonly TrainedPhase[], blobs: BlobStore): Promise<Trained> {
  const { name: _name, times: _times, ...last } = phases.at(-1)!;
  const before = phases.slice(0, -1).reduce((sum, { steps }) => sum + steps, 0);
  const logs = async function* (): AsyncGenerator<Uint8Array> {
    for (const { log } of phases) yield* blobs.stream(log.hash);
  };
  return {
    ...last,
    step: before + last.step,
    steps: before + last.steps,
    ...(phases.every(({ times }) => times) ? { times: timesOf(phases) } : {}),
    log: phases.length > 1 ? await blobs.put(logs()) : last.log,
    phases: phases.map(({ name, steps, step, validation }) => ({ name, steps, step, validation })),
  };
}

const timesOf = (phases: readonly TrainedPhase[]): StepTimes => ({
  waited: phases.reduce((sum, { times }) => sum + times!.waited, 0),
  ran: phases.reduce((sum, { times }) => sum + times!.ran, 0),
});
