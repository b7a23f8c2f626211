import type { Clock } from '../pipeline/ports.ts';
import { isTerminal, type JobRecord } from './job.ts';
import type { JobRecords } from './job-records.ts';
import { dispatchOf } from './jobs.ts';
import type { Dispatcher, Notifier } from './ports.ts';
import { cancel } from './transitions.ts';

export interface ReconcileTools {
  readonly records: JobRecords;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly clock: Clock;
}

/** A marker without a job after so long belongs to a process that died in between. */
const ORPHAN_MS = 300_000;

/**
 * Makes the queue agree with the JobStore: every open job has an entry, every finished one is settled, every one past
 * its time is cancelled. Safe to run anywhere, any number of times at once. Returns how many entries were missing.
 */
export async function reconcile(tools: ReconcileTools): Promise<number> {
  const { records, clock } = tools;
  let missing = 0;
  for (const { id, since } of await records.open()) {
    const job = await records.find(id);
    if (!job) {
      if (clock.now() - since > ORPHAN_MS) await records.forget(id);
    } else if (isTerminal(job.state)) {
      await records.settle(job);
    } else {
      missing += await reconcileOpen(await expire(job, tools), tools);
    }
  }
  return missing;
}

async function reconcileOpen(job: JobRecord, { dispatcher }: ReconcileTools): Promise<number> {
  if (isTerminal(job.state) || job.state === 'paused' || (await dispatcher.has(job))) return 0;
  await dispatcher.add(dispatchOf(job));
  return 1;
}

async function expire(
  job: JobRecord,
  { records, dispatcher, notifier, clock }: ReconcileTools,
): Promise<JobRecord> {
  const seconds = job.options.cancelAfterSeconds;
  if (seconds === null || clock.now() < job.createdAt + seconds * 1000 || job.state === 'cancelling')
    return job;
  const expired = await records.update(job.id, (now) =>
    isTerminal(now.state)
      ? now
      : cancel(now, clock.now(), {
          code: 'JOB_EXPIRED',
          message: `the job was not finished ${seconds} seconds after its creation`,
          hint: 'Raise options.cancelAfterSeconds, or retry: finished stages are not repeated.',
          problems: [],
          facts: { cancelAfterSeconds: seconds },
        }),
  );
  await notifier.publish('control', job.id);
  if (isTerminal(expired.state)) await dispatcher.remove(job);
  return expired;
}
