import type { JobStore, StoredRecord } from '../pipeline/ports.ts';

export interface PageWish {
  /** Absent: everyone's. */
  readonly owner?: string;
  /** Id, without the prefix, that the page before ended with. */
  readonly before?: string;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** `before` of the page after; null on the last one. */
  readonly next: string | null;
}

/** A page of the records under a prefix that belong to someone, newest first (ids sort by creation). */
export async function ownedPage(
  jobs: JobStore,
  prefix: string,
  { owner, before, limit }: PageWish,
): Promise<Page<StoredRecord>> {
  const found: StoredRecord[] = [];
  let last = before;
  for (;;) {
    const page = await jobs.list({
      prefix,
      limit: limit + 1,
      ...(last === undefined ? {} : { before: prefix + last }),
    });
    found.push(
      ...page.filter(({ value }) => owner === undefined || (value as { owner: string }).owner === owner),
    );
    if (found.length > limit || page.length <= limit) break;
    last = page.at(-1)!.id.slice(prefix.length);
  }
  const items = found.slice(0, limit);
  const more = found.length > limit;
  return { items, next: more ? items.at(-1)!.id.slice(prefix.length) : null };
}
