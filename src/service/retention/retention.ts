import type { BlobStore, Clock, JobStore, StoredRecord } from '../../pipeline/ports.ts';
import { isTerminal, type Job, type JobState } from '../jobs/job.ts';
import { Lease } from '../lease.ts';
import { deleteExpired } from './delete-expired.ts';
import { everyRecord } from './every-record.ts';
import { hashesIn } from './hashes-in.ts';
import { isExpired, kinds, type Moment, type RetentionRules } from './is-expired.ts';
import { UNREFERENCED, Unreferenced } from './unreferenced.ts';

export interface RetentionTools {
  readonly jobs: JobStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly rules: RetentionRules;
}

export interface SweepReport {
  /** Records deleted, by kind. */
  readonly records: Readonly<Record<string, number>>;
  readonly blobs: number;
  /** In the deleted blobs. */
  readonly bytes: number;
  /** Blobs that no record names and that are within their grace. */
  readonly waiting: number;
}

const LEASE_MS = 120_000;

/**
 * Deletes what has expired, then the blobs that nothing names any more.
 *
 * A blob is deleted when it was last put longer than the grace ago, and every sweep over at least the grace found no
 * record that names it. Why nothing is lost that someone still needs:
 * - Who puts a blob makes it young (`put` counts as modified now, also where the content was there), and has the grace
 *   to write the record that names it: the grace must be longer than the longest upload of several files.
 * - Who learnt a hash from a record (a model becomes a job's input, a stage reads the one before) has the same time
 *   from the first sweep that found the hash in no record, for only then does the second grace begin.
 * - A mark can miss a hash that moves from a record not yet read to one read already. The next sweep finds it there,
 *   and the count begins anew.
 * - Whatever was put between the listing and the deletion shows in a last look at the blob's time. What remains is the
 *   moment between that look and the deletion, for content that nobody has named for the grace.
 * So sweeps in two processes, or one that sleeps in the middle, do no harm; the lease only saves work.
 */
export class Retention {
  readonly #tools: RetentionTools;

  constructor(tools: RetentionTools) {
    this.#tools = tools;
  }

  /** Undefined: another process is sweeping. A dry run tells what a sweep would delete and changes nothing. */
  async sweep({
    now,
    dryRun = false,
  }: {
    readonly now: number;
    readonly dryRun?: boolean;
  }): Promise<SweepReport | undefined> {
    const lease = await Lease.acquire('sweep', LEASE_MS, this.#tools);
    if (!lease) return undefined;
    try {
      const deleted = await this.#records(now, dryRun, lease);
      const marked = await this.#mark(deleted, lease);
      const swept = await this.#blobs(marked, now, dryRun, lease);
      return { records: deleted.counts, ...swept };
    } finally {
      await lease.release();
    }
  }

  async #records(now: number, dryRun: boolean, lease: Lease): Promise<Deleted> {
    const { jobs, rules } = this.#tools;
    const moment: Moment = { now, oldestOpenJob: await this.#oldestOpenJob(now) };
    const ids = new Set<string>();
    const counts: Record<string, number> = {};
    for (const kind of Object.keys(kinds)) {
      counts[kind] = 0;
      for await (const record of everyRecord(jobs, `${kind}/`)) {
        await lease.keep();
        if (!isExpired(record, moment, rules)) continue;
        if (!dryRun && !(await deleteExpired(jobs, record))) continue;
        counts[kind]++;
        ids.add(record.id);
      }
    }
    return { ids, counts };
  }

  async #oldestOpenJob(now: number): Promise<number> {
    let oldest = now;
    for await (const { state, value } of everyRecord(this.#tools.jobs, 'job/')) {
      if (!isTerminal(state as JobState)) oldest = Math.min(oldest, (value as Job).createdAt);
    }
    return oldest;
  }

  /** Hashes in all records but the deleted ones. */
  async #mark({ ids }: Deleted, lease: Lease): Promise<ReadonlySet<string>> {
    const marked = new Set<string>();
    for await (const record of everyRecord(this.#tools.jobs, '')) {
      await lease.keep();
      if (keepsBlobs(record, ids)) for (const hash of hashesIn(record.value)) marked.add(hash);
    }
    return marked;
  }

  async #blobs(marked: ReadonlySet<string>, now: number, dryRun: boolean, lease: Lease) {
    const { jobs, blobs, rules } = this.#tools;
    const unreferenced = await Unreferenced.load(jobs);
    const isYoung = (time: number): boolean => now - time < rules.graceMs;
    const report = { blobs: 0, bytes: 0, waiting: 0 };
    for await (const { hash, bytes, modifiedAt } of blobs.list()) {
      await lease.keep();
      if (marked.has(hash)) continue;
      const spared = isYoung(modifiedAt) || isYoung(unreferenced.since(hash, now));
      const last = spared || dryRun ? undefined : await blobs.stat(hash);
      if (spared || (last && isYoung(last.modifiedAt))) {
        unreferenced.note(hash, now);
        report.waiting++;
        continue;
      }
      if (!dryRun) await blobs.delete(hash);
      report.blobs++;
      report.bytes += bytes;
    }
    if (!dryRun) {
      await unreferenced.save(jobs);
      await blobs.clean(now - rules.graceMs);
    }
    return report;
  }
}

interface Deleted {
  readonly ids: ReadonlySet<string>;
  readonly counts: Readonly<Record<string, number>>;
}

const keepsBlobs = ({ id }: StoredRecord, deleted: ReadonlySet<string>): boolean =>
  id !== UNREFERENCED && !deleted.has(id);
