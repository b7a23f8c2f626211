import type { Clock } from '../../pipeline/ports.ts';
import type { PartGroup } from '../ports.ts';
import type { JobRecord } from './job.ts';
import type { JobRecords } from './job-records.ts';
import { helped } from './transitions.ts';

export interface GroupHelpTools {
  readonly records: JobRecords;
  readonly clock: Clock;
}

/** Shortest time between two writes of progress; several groups write to one record. */
const PROGRESS_EVERY_MS = 2000;

/** One group of parts, as the supervisor of the helper follows it. It writes nothing of the job but progress. */
export class GroupHelp {
  readonly group: PartGroup;
  readonly #tools: GroupHelpTools;
  #progressAt = 0;

  constructor(group: PartGroup, tools: GroupHelpTools) {
    this.group = group;
    this.#tools = tools;
  }

  /** The job, if it still waits for this group. */
  async wanted(): Promise<JobRecord | undefined> {
    const { id, dispatch, attempt, group } = this.group;
    const job = await this.#tools.records.find(id);
    const waits = job?.state === 'running' && job.dispatch === dispatch && job.fanOut?.attempt === attempt;
    return waits && job.fanOut?.groups[group] ? job : undefined;
  }

  /** Work done so far; most calls are dropped, and those that say that nothing is done yet. */
  async progress(done: number): Promise<void> {
    const now = this.#tools.clock.now();
    if (done === 0 || now - this.#progressAt < PROGRESS_EVERY_MS) return;
    this.#progressAt = now;
    await this.#write(done);
  }

  /** All parts are made. */
  async finished(): Promise<void> {
    await this.#write(Number.POSITIVE_INFINITY);
  }

  async #write(done: number): Promise<void> {
    const { records, clock } = this.#tools;
    await records.update(this.group.id, (job) => helped(job, this.group, done, clock.now()));
  }
}
