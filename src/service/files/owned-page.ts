import type { JobStore, StoredRecord } from '../../pipeline/ports.ts';

export interface PageWish {
  /** Absent: everyone's. */
  readonly owner?: string;
  /** Id, without the prefix, that the page before ended with. */
  readonly before?: string;
  readonly limit: number;
}

export interface Page<T> {
  /** Fewer than were asked for, or none, also where looking on was put off to the next page. */
  readonly items: readonly T[];
  /** `before` of the page after; null on the last one. */
  readonly next: string | null;
}

/** Records asked for at once: a store may have to list all of its names each time. */
const AT_ONCE = 200;
/** Records looked at for one page, whoever they belong to: others' records must not make it dear. */
const LOOKED_AT = 2000;

/** A page of the records under a prefix that belong to someone, newest first (ids sort by creation). */
export async function ownedPage(
  jobs: JobStore,
  prefix: string,
  { owner, before, limit }: PageWish,
  wanted: (record: StoredRecord) => boolean = () => true,
): Promise<Page<StoredRecord>> {
  const found: StoredRecord[] = [];
  const page = (more: boolean, last: string | undefined): Page<StoredRecord> => ({
    items: found.slice(0, limit),
    next: more && last !== undefined ? last.slice(prefix.length) : null,
  });
  let last = before === undefined ? undefined : prefix + before;
  for (let looked = 0; looked < LOOKED_AT; ) {
    // Mostly the newest ones are it.
    const ask = looked === 0 ? limit + 1 : Math.min(Math.max(AT_ONCE, limit + 1), LOOKED_AT - looked);
    const records = await jobs.list({ prefix, limit: ask, ...(last === undefined ? {} : { before: last }) });
    for (const record of records) {
      if (owner !== undefined && (record.value as { owner: string }).owner !== owner) continue;
      if (wanted(record)) found.push(record);
    }
    if (found.length > limit) return page(true, found[limit - 1]!.id);
    if (records.length < ask) return page(false, undefined);
    looked += records.length;
    last = records.at(-1)!.id;
  }
  return page(true, last);
}
