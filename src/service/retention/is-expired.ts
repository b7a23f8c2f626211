import type { StoredRecord } from '../../pipeline/ports.ts';
import { STAGE_TOUCH_MS } from '../../pipeline/stage-record.ts';
import { isTerminal, type JobState } from '../jobs/job.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How long an idempotency key is remembered. */
const IDEMPOTENCY_MS = 48 * HOUR;
/** How long deliveries can be looked at; their last attempt is made within 32 hours. */
const DELIVERY_MS = 7 * DAY;
/** Clocks of two machines may differ by so much. */
const CLOCKS_MS = HOUR;

export interface RetentionRules {
  /** How long intermediate results are kept after their last use (RETORT_RETAIN_STAGES_DAYS), milliseconds. */
  readonly stagesMs: number;
  /** RETORT_SWEEP_GRACE_SECONDS, in milliseconds. */
  readonly graceMs: number;
}

/** What the age of a record is measured against. Times are milliseconds since 1970. */
export interface Moment {
  readonly now: number;
  /** When the oldest job that is not finished was created. */
  readonly oldestOpenJob: number;
}

/** Kinds of records that retention deletes, by the prefix of their ids, each with when it is time. */
export const kinds: Readonly<
  Record<string, (record: StoredRecord, moment: Moment, rules: RetentionRules) => boolean>
> = {
  job: (record, { now }) => isTerminal(record.state as JobState) && pastItsTime(record, now),
  model: (record, { now }) => pastItsTime(record, now),
  dataset: (record, { now }) => pastItsTime(record, now),
  upload: (record, { now }) => pastItsTime(record, now),
  delivery: ({ value }, { now }) => now - (value as { createdAt: number }).createdAt > DELIVERY_MS,
  idempotency: ({ updatedAt = Infinity }, { now }) => now - updatedAt > IDEMPOTENCY_MS,
  stage: unused,
  shard: unused,
};

/** Whether a record is to be deleted; kinds that are not named above stay. */
export function isExpired(record: StoredRecord, moment: Moment, rules: RetentionRules): boolean {
  return kinds[record.id.split('/')[0]!]?.(record, moment, rules) ?? false;
}

function pastItsTime({ value }: StoredRecord, now: number): boolean {
  const { expiresAt } = value as { readonly expiresAt?: number | null };
  return typeof expiresAt === 'number' && expiresAt <= now;
}

/**
 * Intermediate results in use by a job were written or touched after the job was created (see StageRecord), so those
 * that are older than the oldest open job belong to none. A paused job thus keeps its checkpoints however long it waits.
 */
function unused(
  { updatedAt = Infinity }: StoredRecord,
  moment: Moment,
  { stagesMs }: RetentionRules,
): boolean {
  const inUse = moment.oldestOpenJob - STAGE_TOUCH_MS - CLOCKS_MS;
  return updatedAt < Math.min(moment.now - stagesMs, inUse);
}
