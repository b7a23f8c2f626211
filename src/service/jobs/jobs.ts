import { ulid } from 'ulid';
import { RetortError } from '../../errors.ts';
import type { Clock, JobEvent, JobStore, StoredRecord } from '../../pipeline/ports.ts';
import { resolveSpec } from '../../spec/resolve-spec.ts';
import type { Spec } from '../../spec/spec.ts';
import { ownedPage, type Page, type PageWish } from '../files/owned-page.ts';
import type { Dispatcher, Notifier } from '../ports.ts';
import {
  isTerminal,
  type Job,
  type JobInputs,
  type JobOptions,
  type JobRecord,
  jobKey,
  jobOf,
} from './job.ts';
import type { JobRecords } from './job-records.ts';
import { cancel, pause, resume } from './transitions.ts';

export interface JobDraft {
  readonly owner: string;
  readonly inputs: JobInputs;
  readonly requested: Spec;
  readonly options: JobOptions;
  /** Given where an idempotency key has fixed it. */
  readonly id?: string;
  /** Unfinished jobs this owner may have; default: what all may have. */
  readonly maxOpen?: number;
}

export interface JobWish extends PageWish {
  readonly state?: string;
  /** Name and value. */
  readonly label?: readonly [string, string];
}

export interface JobsTools {
  readonly records: JobRecords;
  readonly jobs: JobStore;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly clock: Clock;
  /** Unfinished jobs an owner may have. */
  readonly maxOpen: number;
  /** Told of errors that do not concern the caller: the queue is away, and the reconciler will try again. */
  readonly onTrouble: (error: unknown) => void;
}

/** New id of a job: sorts by creation. */
export const newJobId = (): string => `d_${ulid()}`;

const here = { available: true };
const anyFacilities = {
  kernels: { onnxruntime: here, tfjs: here },
  devices: { cpu: here, cuda: here, webgpu: here },
};

/** What users do with jobs. */
export class Jobs {
  readonly #tools: JobsTools;

  constructor(tools: JobsTools) {
    this.#tools = tools;
  }

  /** Accepts a job: once this returns it is durable, whatever happens to the queue (P1). */
  async create(draft: JobDraft): Promise<JobRecord> {
    const { records, clock } = this.#tools;
    // Contradictions are told now; what the worker's machine lacks, it says itself.
    resolveSpec(draft.requested, anyFacilities);
    const known = draft.id === undefined ? undefined : await records.find(draft.id);
    if (known) return known;
    await this.#admit(draft.owner, draft.maxOpen);
    const job: Job = {
      id: draft.id ?? newJobId(),
      owner: draft.owner,
      createdAt: clock.now(),
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      inputs: draft.inputs,
      requested: draft.requested,
      resolved: null,
      options: draft.options,
      retryOf: null,
      dispatch: 1,
      attempt: 0,
      crashes: 0,
      failures: 0,
      worker: null,
      fanOut: null,
      fanOuts: 0,
      progress: null,
      stages: [],
      artifacts: [],
      error: null,
    };
    return this.#dispatch(await records.create(job));
  }

  get(id: string): Promise<JobRecord> {
    return this.#tools.records.get(id);
  }

  /** A page of them, newest first. */
  async list({ state, label, ...wish }: JobWish): Promise<Page<JobRecord>> {
    const wanted = (record: StoredRecord): boolean =>
      // Not left to the store, which would look through all it has.
      (state === undefined || record.state === state) &&
      (label === undefined || jobOf(record).options.labels[label[0]] === label[1]);
    const { items, next } = await ownedPage(this.#tools.jobs, jobKey(''), wish, wanted);
    return { items: items.map(jobOf), next };
  }

  async cancel(id: string): Promise<JobRecord> {
    const { records, clock } = this.#tools;
    return this.#withdraw(await records.update(id, (job) => cancel(job, clock.now())));
  }

  async pause(id: string): Promise<JobRecord> {
    return this.#withdraw(await this.#tools.records.update(id, pause));
  }

  async resume(id: string): Promise<JobRecord> {
    return this.#dispatch(await this.#tools.records.update(id, resume));
  }

  /** A new job with the inputs and settings of one that failed or was cancelled; finished stages are not repeated. */
  async retry(id: string, maxOpen?: number): Promise<JobRecord> {
    const old = await this.get(id);
    if (old.state !== 'failed' && old.state !== 'cancelled') {
      throw new RetortError('JOB_STATE', `the job ${id} is ${old.state}, so there is nothing to retry`, {
        hint: 'Only failed and cancelled jobs can be retried.',
      });
    }
    await this.#admit(old.owner, maxOpen);
    const { records, clock } = this.#tools;
    const job: Job = {
      ...withoutRecord(old),
      id: newJobId(),
      retryOf: old.id,
      createdAt: clock.now(),
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      dispatch: 1,
      attempt: 0,
      crashes: 0,
      failures: 0,
      fanOuts: 0,
      stages: [],
      artifacts: [],
      error: null,
    };
    return this.#dispatch(await records.create(job));
  }

  /** Removes a finished job; its files go with the next sweep. */
  async delete(id: string): Promise<void> {
    const job = await this.get(id);
    if (!isTerminal(job.state)) {
      throw new RetortError('JOB_STATE', `the job ${id} is ${job.state}; only finished jobs can be deleted`, {
        hint: 'Cancel it first.',
      });
    }
    await this.#tools.records.forget(id);
    await this.#tools.jobs.delete(jobKey(id));
  }

  events(id: string, after?: number): Promise<readonly JobEvent[]> {
    return this.#tools.records.events(id, after);
  }

  async #admit(owner: string, maxOpen = this.#tools.maxOpen): Promise<void> {
    const { records } = this.#tools;
    const open = (await records.open()).filter((job) => job.owner === owner).length;
    if (open < maxOpen) return;
    throw new RetortError(
      'RATE_LIMITED',
      `${open} jobs of this key are not finished; ${maxOpen} are allowed`,
      {
        hint: 'Wait for some of them, or cancel them.',
      },
    );
  }

  /** Puts a queued job in the queue. Where that fails it stays queued, and the reconciler tries again. */
  async #dispatch(job: JobRecord): Promise<JobRecord> {
    if (job.state === 'queued') {
      await this.#tools.dispatcher.add(dispatchOf(job)).catch(this.#tools.onTrouble);
    }
    return job;
  }

  /** Tells the worker, or takes the entry of a job that no worker has. */
  async #withdraw(job: JobRecord): Promise<JobRecord> {
    const { dispatcher, notifier, onTrouble } = this.#tools;
    await notifier.publish('control', job.id);
    if (isTerminal(job.state) || job.state === 'paused') await dispatcher.remove(job).catch(onTrouble);
    return job;
  }
}

/** The queue entry of a job as it stands. */
export const dispatchOf = ({ id, dispatch, options, requested }: JobRecord) => ({
  id,
  dispatch,
  priority: options.priority,
  device: (requested.train?.device as 'auto' | 'cpu' | 'cuda' | undefined) ?? 'auto',
});

function withoutRecord({ state: _state, revision: _revision, ...job }: JobRecord): Job {
  return job;
}
