import type { JobStore, StoredRecord } from '../../pipeline/ports.ts';
import { openKey } from '../jobs/job.ts';
import { unlessConflict } from '../unless-conflict.ts';
import { type Delivery, dueKey } from '../webhooks/delivery.ts';

/** Deletes an expired record with its events and markers. False: it was used meanwhile, and stays. */
export async function deleteExpired(jobs: JobStore, record: StoredRecord): Promise<boolean> {
  const [kind, name] = record.id.split('/');
  if (kind === 'stage' || kind === 'shard') {
    // Taken by compare-and-set before it is deleted: who touches it first keeps it; who opens it afterwards finds no
    // finished stage and computes it again, should he write in between, after a STORE_CONFLICT in his next attempt.
    const taken = await jobs.put({ ...record, state: 'expired', value: null }).catch(unlessConflict);
    if (!taken) return false;
  }
  await jobs.delete(record.id);
  if (kind === 'job') await jobs.delete(openKey(name!));
  if (kind === 'delivery') {
    const { id, round } = record.value as Delivery;
    await jobs.delete(dueKey(id, round));
  }
  return true;
}
