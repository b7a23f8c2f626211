import { RetortError } from '../../errors.ts';
import type { StoredRecord } from '../../pipeline/ports.ts';

/** STORE_CONFLICT where an event was to follow another one than the last. */
export function checkLast(id: string, last: number, after: number | undefined): void {
  if (after === undefined || after === last) return;
  throw new RetortError(
    'STORE_CONFLICT',
    `the last event of ${id} is ${last}, the new one was to follow ${after}`,
    {
      hint: 'Read the events again.',
    },
  );
}

/** The record that replaces `current`, stamped; STORE_CONFLICT when the writer had not seen `current`. */
export function nextRecord(current: StoredRecord | undefined, record: StoredRecord): StoredRecord {
  const seen = current?.revision ?? 0;
  if (record.revision !== seen) throw staleRecord(record, `it is at revision ${seen}`);
  return { ...record, revision: seen + 1, updatedAt: Date.now() };
}

export const staleRecord = ({ id, revision }: StoredRecord, now: string): RetortError =>
  new RetortError('STORE_CONFLICT', `the change of ${id} was made to revision ${revision}, but ${now}`, {
    hint: 'Read the record again and repeat the change.',
  });
