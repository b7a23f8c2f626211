import { RetortError } from '../../errors.ts';
import type { JobEvent, JobStore, RecordFilter, StoredRecord } from '../../pipeline/ports.ts';
import { concat } from './concat.ts';
import { checkLast, nextRecord, staleRecord } from './next-record.ts';
import { parseStored } from './parse-stored.ts';
import { recordName } from './record-name.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { selectRecords } from './select-records.ts';

/** Requests on their way at the same time. */
const BATCH = 16;
const MAX_TRIES = 100;
const MAX_REMEMBERED = 10_000;

/**
 * Records as objects `records/<id>`, their events as objects `events/<id>!<number>`.
 *
 * A record is one object, created with `If-None-Match: *` and replaced with `If-Match: <etag of the object that was
 * read>`; the server compares and sets. One object for each revision, created only where there is none, would not be
 * sound: once old revisions are removed, a writer that slept can create one of them again and take it for a success.
 * The etag covers the revision and the time of writing, so a record that was deleted and made anew is another one.
 * Readers see one whole object, the old or the new.
 *
 * Event n is created with `If-None-Match: *`, and only by a writer that has seen event n - 1: numbers have no gaps.
 * `!` sorts before everything an id may hold, so the events of `a` are never among those of `a/b`.
 * `delete` takes the events first, from the last to the first, and then the record: what dies in between is a record
 * with the beginning of its events, and can be deleted again. As with every driver, nobody may append to a record
 * while it is deleted.
 */
export class S3Jobs implements JobStore {
  readonly #bucket: S3Bucket;
  /** Last events seen, by id: where to look first. */
  readonly #last = new Map<string, number>();

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async get(id: string): Promise<StoredRecord | undefined> {
    return (await this.#read(id))?.record;
  }

  async put(record: StoredRecord): Promise<StoredRecord> {
    const found = await this.#read(record.id);
    const next = nextRecord(found?.record, record);
    if (await this.#bucket.put(recordKey(record.id), JSON.stringify(next), found?.etag)) return next;
    throw staleRecord(record, 'another writer was faster');
  }

  async list(filter: RecordFilter = {}) {
    const ids: string[] = [];
    const all = 'records/';
    for await (const { key } of this.#bucket.list(all + (filter.prefix ?? '')))
      ids.push(key.slice(all.length));
    return selectRecords(ids, filter, (id) => this.get(id));
  }

  async delete(id: string): Promise<void> {
    const keys = (await this.#eventKeys(id, 0)).reverse();
    for (let at = 0; at < keys.length; at += BATCH) {
      await Promise.all(keys.slice(at, at + BATCH).map((key) => this.#bucket.delete(key)));
    }
    await this.#bucket.delete(recordKey(id));
    this.#last.delete(id);
  }

  async append(id: string, event: Omit<JobEvent, 'id'>, after?: number): Promise<JobEvent> {
    const last = await this.#lastEvent(id);
    checkLast(id, last, after);
    for (let next = last + 1; next <= last + MAX_TRIES; next++) {
      const appended = { ...event, id: next };
      // Refused: another writer has made this event, so it exists, and ours may be the one after it.
      if (!(await this.#bucket.put(eventKey(id, next), JSON.stringify(appended)))) {
        checkLast(id, next, after);
        continue;
      }
      if (this.#last.size >= MAX_REMEMBERED) this.#last.clear();
      this.#last.set(id, next);
      return appended;
    }
    throw new RetortError('STORE_CONFLICT', `too many writers append to ${id} at once`);
  }

  async events(id: string, after = 0): Promise<readonly JobEvent[]> {
    const keys = await this.#eventKeys(id, after);
    const events: JobEvent[] = [];
    for (let at = 0; at < keys.length; at += BATCH) {
      const texts = await Promise.all(keys.slice(at, at + BATCH).map((key) => this.#text(key)));
      for (const found of texts) {
        const event = found && parseStored<JobEvent>(found.text, id);
        // A listing is no snapshot: one made while events are written may have the later without the earlier.
        if (event?.id !== after + events.length + 1) return events;
        events.push(event);
      }
    }
    return events;
  }

  async #read(id: string): Promise<{ readonly record: StoredRecord; readonly etag: string } | undefined> {
    const found = await this.#text(recordKey(id));
    return found && { record: parseStored<StoredRecord>(found.text, id), etag: found.etag };
  }

  async #text(key: string): Promise<{ readonly text: string; readonly etag: string } | undefined> {
    const found = await this.#bucket.get(key);
    return found && { text: new TextDecoder().decode(await concat(found.body)), etag: found.etag };
  }

  async #eventKeys(id: string, after: number): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.#bucket.list(`events/${recordName(id)}!`, eventKey(id, after)))
      keys.push(key);
    return keys;
  }

  /** Number of the last event. Looks from the one last seen; if that is gone, the events were deleted and begin anew. */
  async #lastEvent(id: string): Promise<number> {
    const seen = this.#last.get(id) ?? 0;
    const newer = seen === 0 ? [] : await this.#eventKeys(id, seen - 1);
    const last = (newer.length > 0 ? newer : await this.#eventKeys(id, 0)).at(-1);
    return last === undefined ? 0 : Number(last.slice(last.lastIndexOf('!') + 1));
  }
}

const recordKey = (id: string): string => `records/${recordName(id)}`;
const eventKey = (id: string, event: number): string =>
  `events/${recordName(id)}!${`${event}`.padStart(12, '0')}`;
