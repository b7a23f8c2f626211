import { RetortError } from '../../errors.ts';
import type { Fault } from '../fault.ts';
import { type FanOut, isTerminal, type JobProgress, type JobRecord } from './job.ts';

/**
 * What the state of a job may become and why: pure functions from a job to the job after. Every one may be asked
 * again, since two processes can ask at once: what is so already is returned as it is.
 */

const refuse = (job: JobRecord, verb: string, hint: string): never => {
  throw new RetortError('JOB_STATE', `the job ${job.id} is ${job.state}, so it cannot be ${verb}`, { hint });
};

/** Ends a job. Its retention counts from here. */
function ended(
  job: JobRecord,
  state: 'succeeded' | 'failed' | 'cancelled',
  now: number,
  more: Partial<JobRecord> = {},
): JobRecord {
  const expiresAt = now + job.options.retainDays * 86_400_000;
  return { ...job, ...more, state, finishedAt: now, expiresAt, worker: null, fanOut: null, progress: null };
}

/** Back to the queue under a new dispatch. */
const queuedAgain = (job: JobRecord): JobRecord => ({
  ...job,
  state: 'queued',
  dispatch: job.dispatch + 1,
  worker: null,
  fanOuts: 0,
});

export function cancel(job: JobRecord, now: number, error: Fault | null = null): JobRecord {
  switch (job.state) {
    case 'queued':
    case 'paused':
      return ended(job, 'cancelled', now, { error });
    case 'running':
      // Nobody holds a job that waits for its helpers, so nobody could answer.
      return job.fanOut ? ended(job, 'cancelled', now, { error }) : { ...job, state: 'cancelling', error };
    case 'pausing':
      return { ...job, state: 'cancelling', error };
    case 'cancelling':
    case 'cancelled':
      return job;
    default:
      return refuse(job, 'cancelled', 'It has ended; DELETE removes it.');
  }
}

export function pause(job: JobRecord): JobRecord {
  switch (job.state) {
    case 'queued':
      return { ...job, state: 'paused' };
    case 'running':
      return job.fanOut ? { ...job, state: 'paused', fanOut: null } : { ...job, state: 'pausing' };
    case 'pausing':
    case 'paused':
      return job;
    default:
      return refuse(job, 'paused', 'Only queued and running jobs can be paused.');
  }
}

export function resume(job: JobRecord): JobRecord {
  if (job.state === 'queued' || job.state === 'running') return job;
  if (job.state !== 'paused')
    return refuse(job, 'resumed', 'Only paused jobs can be resumed; one that is pausing will be soon.');
  return queuedAgain({ ...job, failures: 0 });
}

/** The queue of its device has no workers: it goes where there are some, or ends where it needs that device. */
export function leaveDevice(job: JobRecord, dispatch: number, now: number): JobRecord {
  if (job.dispatch !== dispatch || isTerminal(job.state)) return job;
  if (job.state === 'cancelling') return ended(job, 'cancelled', now);
  if (job.state === 'pausing') return { ...job, state: 'paused', worker: null };
  if (job.state === 'paused') return job;
  const bound = job.requested.train?.device === 'cuda' || job.resolved?.train.device === 'cuda';
  if (!bound) return queuedAgain({ ...job, fanOut: null });
  return ended(job, 'failed', now, {
    error: {
      code: 'RUNTIME_UNAVAILABLE',
      message: 'the job needs a CUDA device, and no worker with one is alive',
      hint: 'Start a worker on a machine with CUDA and retry, or leave out train.device.',
      problems: [],
      facts: {},
    },
  });
}

/** A worker takes the job on. Null: there is nothing to be done for it (any more). */
export function claim(job: JobRecord, worker: string, crashBudget: number, now: number): JobRecord | null {
  switch (job.state) {
    case 'cancelling':
      return ended(job, 'cancelled', now);
    case 'pausing':
      return { ...job, state: 'paused', worker: null };
    case 'queued':
      return begun(job, worker, now);
    case 'running': {
      // Back from its helpers: no attempt was under way that could have crashed.
      if (job.fanOut) return begun(job, worker, now);
      // Its worker died without a word, or this claim would not have been offered.
      const crashes = job.crashes + 1;
      if (crashes >= crashBudget) return ended(job, 'failed', now, { crashes, error: poisonous(crashes) });
      return begun({ ...job, crashes }, worker, now);
    }
    default:
      return null;
  }
}

const begun = (job: JobRecord, worker: string, now: number): JobRecord => ({
  ...job,
  state: 'running',
  attempt: job.attempt + 1,
  startedAt: job.startedAt ?? now,
  worker,
  fanOut: null,
  stages: [],
  progress: null,
});

const poisonous = (crashes: number): Fault => ({
  code: 'WORKER_CRASHED',
  message: `the process of this job died ${crashes} times in a row without getting any further`,
  hint: 'The log of the worker says how it died. Memory is the usual cause: try a smaller train.batchSize.',
  problems: [],
  facts: { crashes },
});

/** How an attempt came to its end. */
export type Ending =
  | { readonly kind: 'succeeded'; readonly artifacts: JobRecord['artifacts'] }
  | { readonly kind: 'failed'; readonly fault: Fault; readonly retryable: boolean }
  /** Stopped at a checkpoint because it was told to. */
  | { readonly kind: 'stopped' }
  /** Stopped because helpers make the rest of a stage. */
  | { readonly kind: 'fanned-out'; readonly fanOut: Omit<FanOut, 'attempt' | 'at'> }
  /** The process died or was killed; `detail` is for the log. */
  | { readonly kind: 'crashed'; readonly detail: string };

const MAX_FAILURES = 3;

/** What an ended attempt makes of its job. A wish to cancel or to pause comes before a retry. */
export function end(job: JobRecord, ending: Ending, crashBudget: number, now: number): JobRecord {
  if (isTerminal(job.state)) return job;
  if (job.state === 'cancelling') return ended(job, 'cancelled', now);
  if (ending.kind === 'succeeded') return ended(job, 'succeeded', now, { artifacts: ending.artifacts });
  if (ending.kind === 'failed') {
    const failures = job.failures + 1;
    if (!ending.retryable || failures >= MAX_FAILURES)
      return ended(job, 'failed', now, { failures, error: ending.fault });
    return job.state === 'pausing'
      ? { ...job, failures, state: 'paused', worker: null }
      : queuedAgain({ ...job, failures });
  }
  if (job.state === 'pausing') return { ...job, state: 'paused', worker: null };
  if (ending.kind === 'stopped') return queuedAgain(job);
  if (ending.kind === 'fanned-out') {
    const fanOut = { ...ending.fanOut, attempt: job.attempt, at: now };
    return { ...job, worker: null, fanOut, fanOuts: job.fanOuts + 1, progress: progressOf(fanOut, now) };
  }
  const crashes = job.crashes + 1;
  if (crashes >= crashBudget) return ended(job, 'failed', now, { crashes, error: poisonous(crashes) });
  return queuedAgain({ ...job, crashes });
}

/** Work that a group of helpers has done so far. A job that does not wait for that group is returned as it is. */
export function helped(
  job: JobRecord,
  { attempt, group }: { readonly attempt: number; readonly group: number },
  done: number,
  now: number,
): JobRecord {
  const { fanOut } = job;
  if (job.state !== 'running' || fanOut?.attempt !== attempt || !fanOut.groups[group]) return job;
  const groups = fanOut.groups.map((each, i) =>
    i === group ? { ...each, done: Math.min(done, each.size) } : each,
  );
  const after = { ...fanOut, groups };
  return { ...job, fanOut: after, progress: progressOf(after, now) };
}

function progressOf({ stage, at, before, total, groups }: FanOut, now: number): JobProgress {
  const since = groups.reduce((sum, each) => sum + each.done, 0);
  const left = total - before - since;
  const etaMs = since > 0 ? Math.round(((now - at) / since) * left) : null;
  return { stage, done: before + since, total, etaMs, at: now };
}
