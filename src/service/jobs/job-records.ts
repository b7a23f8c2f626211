import { RetortError } from '../../errors.ts';
import type { Clock, JobEvent, JobStore } from '../../pipeline/ports.ts';
import type { Notifier } from '../ports.ts';
import { unlessConflict } from '../unless-conflict.ts';
import { updateRecord } from '../update-record.ts';
import {
  isTerminal,
  type Job,
  type JobRecord,
  type JobState,
  jobKey,
  jobOf,
  openKey,
  recordOf,
} from './job.ts';

export interface JobRecordsTools {
  readonly jobs: JobStore;
  readonly notifier: Notifier;
  readonly clock: Clock;
  /** Told of every state a job reaches; may be told twice of the last one. */
  readonly onState?: (job: JobRecord) => Promise<void>;
}

const missing = (id: string): RetortError => new RetortError('NOT_FOUND', `there is no distillation ${id}`);

/**
 * The one place where job records are written. Order makes it safe to die anywhere: the marker `open/<id>` before the
 * record, the record before its event, the last event before the marker goes. What is left undone, `settle` does.
 */
export class JobRecords {
  readonly #tools: JobRecordsTools;

  constructor(tools: JobRecordsTools) {
    this.#tools = tools;
  }

  /** Writes a new job; one with the same id that is there already is returned instead. */
  async create(job: Job): Promise<JobRecord> {
    const { jobs } = this.#tools;
    await jobs
      .put({ id: openKey(job.id), revision: 0, state: 'open', value: { owner: job.owner } })
      .catch(unlessConflict);
    const record = recordOf({ ...job, state: 'queued', revision: 0 });
    const written = await jobs.put(record).catch(unlessConflict);
    if (!written) return this.get(job.id);
    const created = jobOf(written);
    await this.#tell(created);
    return created;
  }

  async find(id: string): Promise<JobRecord | undefined> {
    const record = await this.#tools.jobs.get(jobKey(id));
    return record && jobOf(record);
  }

  async get(id: string): Promise<JobRecord> {
    const job = await this.find(id);
    if (!job) throw missing(id);
    return job;
  }

  /** Changes a job by compare-and-set, again on what is there where another was faster. */
  async update(id: string, change: (job: JobRecord) => JobRecord): Promise<JobRecord> {
    const { jobs, notifier } = this.#tools;
    let before: JobRecord | undefined;
    const record = await updateRecord(jobs, jobKey(id), (found) => {
      before = jobOf(found);
      const after = change(before);
      return after === before ? found : recordOf(after);
    });
    if (!record || !before) throw missing(id);
    const job = jobOf(record);
    if (job.state !== before.state) await this.#tell(job);
    else if (job.revision !== before.revision) await notifier.publish('changed', id);
    return job;
  }

  async append(id: string, type: string, data: unknown): Promise<JobEvent> {
    const { jobs, clock, notifier } = this.#tools;
    const event = await jobs.append(jobKey(id), { type, data, at: clock.now() });
    await notifier.publish('changed', id);
    return event;
  }

  events(id: string, after?: number): Promise<readonly JobEvent[]> {
    return this.#tools.jobs.events(jobKey(id), after);
  }

  /** Ids of jobs that are not finished, with their owners. */
  async open(): Promise<readonly { readonly id: string; readonly owner: string; readonly since: number }[]> {
    const markers = await this.#tools.jobs.list({ prefix: openKey('') });
    return markers.map(({ id, value, updatedAt }) => ({
      id: id.slice(openKey('').length),
      owner: (value as { owner: string }).owner,
      since: updatedAt ?? 0,
    }));
  }

  /** Does for a finished job what a process that died has left undone. */
  async settle(job: JobRecord): Promise<void> {
    await this.#tell(job);
  }

  /** Takes the marker away, with a job or without. */
  async forget(id: string): Promise<void> {
    await this.#tools.jobs.delete(openKey(id));
  }

  async #tell(job: JobRecord): Promise<void> {
    const { id, state, attempt, error } = job;
    const data: StateEvent = { state, attempt, ...(error ? { error } : {}) };
    if (isTerminal(state)) await this.#sayOnce(id, data);
    else await this.append(id, 'state', data);
    await this.#tools.onState?.(job);
    if (isTerminal(state)) await this.forget(id);
  }

  /** The last event of a job: whoever ended it and those who settle it may come at once, and it is told once. */
  async #sayOnce(id: string, data: StateEvent): Promise<void> {
    const { jobs, clock, notifier } = this.#tools;
    for (let said = false; !said; ) {
      const events = await this.events(id);
      // Deleted meanwhile: an event would come back without its job. Looked up after the events were read, so that a
      // later deletion lets the append fail.
      if (!(await this.find(id))) return;
      const known = events.some(
        ({ type, data }) => type === 'state' && isTerminal((data as StateEvent).state),
      );
      const event = { type: 'state', data, at: clock.now() };
      const last = events.at(-1)?.id ?? 0;
      said = known || (await jobs.append(jobKey(id), event, last).catch(unlessConflict)) !== undefined;
    }
    await notifier.publish('changed', id);
  }
}

/** Data of an event of the type `state`. */
export interface StateEvent {
  readonly state: JobState;
  readonly attempt: number;
  readonly error?: JobRecord['error'];
}
