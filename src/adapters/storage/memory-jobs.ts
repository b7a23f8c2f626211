import type { JobEvent, JobStore, RecordFilter, StoredRecord } from '../../pipeline/ports.ts';
import { checkLast, nextRecord } from './next-record.ts';
import { recordName } from './record-name.ts';
import { selectRecords } from './select-records.ts';

/** Records and events in memory, for tests. Values are copied both ways, as a real store would. */
export class MemoryJobs implements JobStore {
  readonly #records = new Map<string, StoredRecord>();
  readonly #events = new Map<string, JobEvent[]>();

  async get(id: string): Promise<StoredRecord | undefined> {
    const record = this.#records.get(recordName(id));
    return record && structuredClone(record);
  }

  async put(record: StoredRecord): Promise<StoredRecord> {
    const next = nextRecord(this.#records.get(recordName(record.id)), record);
    this.#records.set(record.id, structuredClone(next));
    return next;
  }

  async list(filter: RecordFilter = {}) {
    return selectRecords([...this.#records.keys()], filter, (id) => this.get(id));
  }

  async delete(id: string): Promise<void> {
    this.#records.delete(recordName(id));
    this.#events.delete(id);
  }

  async append(id: string, event: Omit<JobEvent, 'id'>, after?: number): Promise<JobEvent> {
    const events = this.#events.get(recordName(id)) ?? [];
    checkLast(id, events.length, after);
    const appended = { ...structuredClone(event), id: events.length + 1 };
    this.#events.set(id, [...events, appended]);
    return appended;
  }

  async events(id: string, after = 0): Promise<readonly JobEvent[]> {
    return structuredClone((this.#events.get(recordName(id)) ?? []).filter((event) => event.id > after));
  }
}
