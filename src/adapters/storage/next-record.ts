import { RetortError } from '../../errors.ts';
import type { StoredRecord } from '../../pipeline/ports.ts';

/** The record that replaces `current`, or STORE_CONFLICT when the writer had not seen `current`. */
export function nextRecord(current: StoredRecord | undefined, record: StoredRecord): StoredRecord {
  const seen = current?.revision ?? 0;
  if (record.revision !== seen) {
    throw new RetortError(
      'STORE_CONFLICT',
      `record ${record.id} is at revision ${seen}, the change was made to revision ${record.revision}`,
      { hint: 'Read the record again and repeat the change.' },
    );
  }
  return { ...record, revision: seen + 1 };
}
