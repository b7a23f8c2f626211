import { InlineDispatcher } from '../../src/adapters/queue/inline-dispatcher.ts';
import { LocalNotifier } from '../../src/adapters/queue/local-notifier.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import type { Clock, JobStore } from '../../src/pipeline/ports.ts';
import type { FanOut, JobInputs, JobOptions } from '../../src/service/jobs/job.ts';
import { JobRecords } from '../../src/service/jobs/job-records.ts';
import { type JobDraft, Jobs } from '../../src/service/jobs/jobs.ts';
import { Reconciler } from '../../src/service/jobs/reconciler.ts';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  time = 1_700_000_000_000;
  now(): number {
    return this.time;
  }
  precise(): number {
    return this.time;
  }
}

const blob = (name: string) => ({ name, hash: '0'.repeat(64), bytes: 1 });

export const someInputs: JobInputs = {
  teacher: blob('teacher.onnx'),
  companions: [],
  data: [blob('data.zip')],
};
export const someOptions: JobOptions = {
  labels: {},
  priority: 'normal',
  retainDays: 1,
  cancelAfterSeconds: null,
};

/** Two groups of parts, of 30 and 50 rows, of a stage of 100 rows. */
export const someFanOut: Omit<FanOut, 'attempt' | 'at'> = {
  stage: 'teach',
  before: 20,
  total: 100,
  groups: [
    { size: 30, done: 0 },
    { size: 50, done: 0 },
  ],
};

export const someDraft = (changes: Partial<JobDraft> = {}): JobDraft => ({
  owner: 'local',
  inputs: someInputs,
  requested: { version: 1 },
  options: someOptions,
  ...changes,
});

/** Jobs over stores in memory, with everything a test may want to look at. */
export function memoryService({ maxOpen = 100, jobs = new MemoryJobs() as JobStore } = {}) {
  const clock = new ManualClock();
  const notifier = new LocalNotifier();
  const dispatcher = new InlineDispatcher();
  const reached: string[] = [];
  const records = new JobRecords({
    jobs,
    notifier,
    clock,
    onState: async ({ state }) => void reached.push(state),
  });
  const troubles: unknown[] = [];
  const service = new Jobs({
    records,
    jobs,
    dispatcher,
    notifier,
    clock,
    maxOpen,
    onTrouble: (error) => void troubles.push(error),
  });
  const reconciler = new Reconciler({
    records,
    dispatcher,
    notifier,
    clock,
    onTrouble: (error) => void troubles.push(error),
  });
  const reconcile = () => reconciler.run();
  return { service, reconcile, records, jobs, dispatcher, notifier, clock, reached, troubles };
}
