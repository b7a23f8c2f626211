import type { Clock } from '../../pipeline/ports.ts';
import type { Dispatcher, Notifier } from '../ports.ts';
import { isTerminal, type JobRecord } from './job.ts';
import type { JobRecords } from './job-records.ts';
import { dispatchOf } from './jobs.ts';
import { cancel, leaveDevice } from './transitions.ts';

export interface ReconcilerTools {
  readonly records: JobRecords;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly clock: Clock;
  /** Told of the job that could not be looked at; the others are looked at all the same. */
  readonly onTrouble: (error: unknown) => void;
}

/** A marker without a job after so long belongs to a process that died in between. */
const ORPHAN_MS = 300_000;
/** So long a queue may be without a worker: one that is replaced is back by then. */
const STRANDED_MS = 120_000;

/**
 * Makes the queue agree with the JobStore: every open job has an entry in a queue that someone works on, every finished
 * one is settled, every one past its time is cancelled. Safe to run anywhere, in any number of processes.
 */
export class Reconciler {
  readonly #tools: ReconcilerTools;
  /** When a job was first seen in a queue without workers. */
  readonly #stranded = new Map<string, number>();

  constructor(tools: ReconcilerTools) {
    this.#tools = tools;
  }

  /** Looks at every open job once; returns how many entries were missing. */
  async run(): Promise<number> {
    const { records, onTrouble } = this.#tools;
    let missing = 0;
    const open = await records.open();
    for (const id of this.#stranded.keys()) if (!open.some((job) => job.id === id)) this.#stranded.delete(id);
    for (const { id, since } of open) {
      try {
        missing += await this.#look(id, since);
      } catch (error) {
        onTrouble(error);
      }
    }
    return missing;
  }

  async #look(id: string, since: number): Promise<number> {
    const { records, clock } = this.#tools;
    const job = await records.find(id);
    if (!job) {
      if (clock.now() - since > ORPHAN_MS) await records.forget(id);
      return 0;
    }
    if (isTerminal(job.state)) {
      await records.settle(job);
      return 0;
    }
    return this.#queue(await this.#expire(job));
  }

  /** Sees to it that an open job lies in a queue with workers. */
  async #queue(job: JobRecord): Promise<number> {
    const { dispatcher } = this.#tools;
    if (isTerminal(job.state) || job.state === 'paused') return 0;
    const device = await dispatcher.where(job);
    if (device === undefined) {
      await dispatcher.add(dispatchOf(job));
      return 1;
    }
    // Every worker works for the CPU; where there is none at all, any queue will do.
    if (device === 'cuda' && !(await this.#hasCuda())) await this.#strand(job);
    else this.#stranded.delete(job.id);
    return 0;
  }

  async #hasCuda(): Promise<boolean> {
    return (await this.#tools.dispatcher.workers()).some(({ slots }) => (slots.cuda ?? 0) > 0);
  }

  /** A job in a queue that nobody works on: moved after a while, or ended where it may run nowhere else. */
  async #strand(job: JobRecord): Promise<void> {
    const { records, dispatcher, clock } = this.#tools;
    const since = this.#stranded.get(job.id) ?? clock.now();
    this.#stranded.set(job.id, since);
    if (clock.now() - since < STRANDED_MS) return;
    const moved = await records.update(job.id, (now) => leaveDevice(now, job.dispatch, clock.now()));
    await dispatcher.remove(job);
    if (moved.state === 'queued') await dispatcher.add(dispatchOf(moved));
  }

  async #expire(job: JobRecord): Promise<JobRecord> {
    const { records, dispatcher, notifier, clock } = this.#tools;
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
}
