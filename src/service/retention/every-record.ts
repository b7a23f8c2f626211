import type { JobStore, StoredRecord } from '../../pipeline/ports.ts';

/** Of records that may be half a megabyte each. */
const PAGE = 200;

/** The records under a prefix, page by page, largest ids first, so that they need not be in memory all at once. */
export async function* everyRecord(jobs: JobStore, prefix: string): AsyncIterable<StoredRecord> {
  let before: string | undefined;
  for (;;) {
    const page = await jobs.list({ prefix, limit: PAGE, ...(before === undefined ? {} : { before }) });
    yield* page;
    before = page.at(-1)?.id;
    if (before === undefined || page.length < PAGE) return;
  }
}
