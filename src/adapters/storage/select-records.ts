import type { RecordFilter, StoredRecord } from '../../pipeline/ports.ts';

/** Records read at the same time: bounded, for each may be an open file or a connection. */
const BATCH = 32;

/** Reads of `ids` the records a filter asks for, in its order; with `limit`, at most a batch beyond what it needs. */
export async function selectRecords(
  ids: readonly string[],
  { state, prefix = '', before, limit }: RecordFilter,
  read: (id: string) => Promise<StoredRecord | undefined>,
): Promise<readonly StoredRecord[]> {
  const wanted = ids
    .filter((id) => id.startsWith(prefix) && (before === undefined || id < before))
    .sort((a, b) => (a < b ? -1 : 1));
  if (limit !== undefined) wanted.reverse();
  const most = limit ?? Number.POSITIVE_INFINITY;
  const found: StoredRecord[] = [];
  for (let at = 0; at < wanted.length && found.length < most; ) {
    // Where states are asked for, nobody knows how many records it takes.
    const batch = wanted.slice(at, at + Math.min(BATCH, state === undefined ? most - found.length : BATCH));
    at += batch.length;
    const records = await Promise.all(batch.map(read));
    for (const record of records) {
      if (record && (state === undefined || record.state === state)) found.push(record);
    }
  }
  return limit === undefined ? found : found.slice(0, limit);
}
