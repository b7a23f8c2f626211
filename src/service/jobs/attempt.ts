import { RetortError } from '../../errors.ts';
import type { Clock } from '../../pipeline/ports.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { isTerminal, type JobRecord, type JobStage } from './job.ts';
import type { JobRecords } from './job-records.ts';
import { claim, type Ending, end } from './transitions.ts';

export interface AttemptTools {
  readonly records: JobRecords;
  readonly clock: Clock;
  readonly crashBudget: number;
}

/** Shortest time between two writes of progress. */
const PROGRESS_EVERY_MS = 1000;

/**
 * One attempt at a job, as its supervisor writes it. Writes go one after another; each is refused with STORE_CONFLICT
 * when a later attempt has taken the job over.
 */
export class Attempt {
  readonly id: string;
  readonly number: number;
  /** The job as it was claimed. */
  readonly job: JobRecord;
  readonly #tools: AttemptTools;
  #queue: Promise<unknown> = Promise.resolve();
  #stageStartedAt: number;
  #stage = '';
  /** Work an earlier attempt had done of this stage: it says nothing of this one's pace. */
  #doneBefore: number | undefined;
  #progressAt = 0;

  private constructor(job: JobRecord, tools: AttemptTools) {
    this.id = job.id;
    this.number = job.attempt;
    this.job = job;
    this.#tools = tools;
    this.#stageStartedAt = tools.clock.now();
  }

  /** Takes a job on. Undefined: this dispatch is of the past, or there is nothing left to do. */
  static async claim(
    entry: { readonly id: string; readonly dispatch: number },
    worker: string,
    tools: AttemptTools,
  ): Promise<Attempt | undefined> {
    const { records, clock, crashBudget } = tools;
    const found = await records.find(entry.id);
    if (!found || found.dispatch !== entry.dispatch || isTerminal(found.state)) return undefined;
    let claimed = false;
    const job = await records.update(entry.id, (before) => {
      claimed = false;
      if (before.dispatch !== entry.dispatch) return before;
      const after = claim(before, worker, crashBudget, clock.now());
      claimed = after?.state === 'running';
      return after ?? before;
    });
    return claimed ? new Attempt(job, tools) : undefined;
  }

  /** The job as it stands; what users wish is in its state. */
  current(): Promise<JobRecord> {
    return this.#tools.records.get(this.id);
  }

  /** Settles the spec for this and all later attempts. */
  resolved(spec: ResolvedSpec): Promise<unknown> {
    return this.#write((job) => ({ ...job, resolved: spec }));
  }

  stage(stage: JobStage): Promise<unknown> {
    this.#stage = stage.name;
    this.#stageStartedAt = this.#tools.clock.now();
    this.#progressAt = 0;
    this.#doneBefore = undefined;
    return this.#write((job) => ({
      ...job,
      ...(stage.state === 'done' ? { crashes: 0, failures: 0 } : {}),
      progress: null,
      stages: [...job.stages.filter(({ name }) => name !== stage.name), stage],
    }));
  }

  /** Work done so far in a stage; most calls are dropped, so that the record is written about once a second. */
  progress(stage: string, done: number, total: number): Promise<unknown> {
    const now = this.#tools.clock.now();
    if (stage !== this.#stage || now - this.#progressAt < PROGRESS_EVERY_MS) return Promise.resolve();
    this.#progressAt = now;
    if (this.#doneBefore === undefined) {
      this.#doneBefore = done;
      this.#stageStartedAt = now;
    }
    const since = done - this.#doneBefore;
    const pace = (now - this.#stageStartedAt) / since;
    const etaMs = since > 0 ? Math.max(0, Math.round(pace * (total - done))) : null;
    return this.#write((job) => ({ ...job, progress: { stage, done, total, etaMs, at: now } }));
  }

  /** Work that a later attempt can go on from was saved: this one was no mere crash. */
  saved(): Promise<unknown> {
    return this.#write((job) =>
      job.crashes === 0 && job.failures === 0 ? job : { ...job, crashes: 0, failures: 0 },
    );
  }

  /** Keeps an event of the journey. */
  event(type: string, data: unknown): Promise<unknown> {
    return this.#next(async () => {
      this.#mine(await this.current());
      await this.#tools.records.append(this.id, type, data);
    });
  }

  /** Ends the attempt; returns the job after it. */
  async finish(ending: Ending): Promise<JobRecord> {
    const { records, clock, crashBudget } = this.#tools;
    // What is still to be written is part of the story; that it failed is told by the write below.
    await this.#queue.catch(() => {});
    return records.update(this.id, (job) => end(this.#mine(job), ending, crashBudget, clock.now()));
  }

  #write(change: (job: JobRecord) => JobRecord): Promise<unknown> {
    return this.#next(() => this.#tools.records.update(this.id, (job) => change(this.#mine(job))));
  }

  #next(body: () => Promise<unknown>): Promise<unknown> {
    this.#queue = this.#queue.then(body);
    return this.#queue;
  }

  /** The fence: a job that another attempt has taken over, or that has ended, is no longer ours to write. */
  #mine(job: JobRecord): JobRecord {
    if (job.attempt === this.number && !isTerminal(job.state) && job.worker === this.job.worker) return job;
    throw new RetortError('STORE_CONFLICT', `attempt ${this.number} of ${this.id} has been taken over`, {
      hint: 'Another worker goes on with it; nothing is lost.',
    });
  }
}
