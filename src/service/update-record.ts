import { RetortError } from '../errors.ts';
import type { JobStore, StoredRecord } from '../pipeline/ports.ts';
import { unlessConflict } from './unless-conflict.ts';

const MAX_TRIES = 20;

/**
 * Changes a record by compare-and-set, again on what is there where another writer was faster. Undefined: there is no
 * such record. A change that returns its argument writes nothing.
 */
export async function updateRecord(
  jobs: JobStore,
  id: string,
  change: (record: StoredRecord) => StoredRecord,
): Promise<StoredRecord | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await jobs.get(id);
    if (!before) return undefined;
    const after = change(before);
    if (after === before) return before;
    const written = await jobs.put(after).catch(unlessConflict);
    if (written) return written;
  }
  throw new RetortError('STORE_CONFLICT', `${id} was changed by others ${MAX_TRIES} times in a row`, {
    hint: 'Try again.',
  });
}
