import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RetortError } from '../../errors.ts';
import type { JobEvent, JobStore, RecordFilter, StoredRecord } from '../../pipeline/ports.ts';
import { absent } from './absent.ts';
import { withFileLock } from './file-lock.ts';
import { lastLine } from './last-line.ts';
import { checkLast, nextRecord } from './next-record.ts';
import { parseStored } from './parse-stored.ts';
import { RECORD_FOLDER, recordName } from './record-name.ts';
import { selectRecords } from './select-records.ts';
import { storeFull } from './store-full.ts';
import { syncFolder } from './sync-folder.ts';

/** How often a record may be deleted under the hands of one writer. */
const MAX_TRIES = 50;

/** Records as `jobs/<id>.job/record.json`, their events beside them as lines. Writers of one record take its lock. */
export class FsJobs implements JobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, 'jobs');
  }

  async get(id: string): Promise<StoredRecord | undefined> {
    const text = await readFile(join(this.#folder(id), 'record.json'), 'utf8').catch(absent);
    return text === undefined ? undefined : parseStored<StoredRecord>(text, id);
  }

  async put(record: StoredRecord): Promise<StoredRecord> {
    return this.#locked(record.id, async (folder) => {
      const next = nextRecord(await this.get(record.id), record);
      const temporary = join(folder, `record.${randomUUID()}`);
      try {
        await writeSynced(temporary, JSON.stringify(next));
        await rename(temporary, join(folder, 'record.json'));
      } finally {
        await rm(temporary, { force: true });
      }
      await syncFolder(folder);
      return next;
    });
  }

  async list(filter: RecordFilter = {}) {
    const ids: string[] = [];
    const prefix = filter.prefix ?? '';
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder !== '') recordName(folder.slice(0, -1));
    for await (const id of this.#ids(folder, prefix)) ids.push(id);
    return selectRecords(ids, filter, (id) => this.get(id));
  }

  async delete(id: string): Promise<void> {
    const folder = this.#folder(id);
    if (!(await stat(folder).catch(absent))) return;
    const aside = `${folder}.${randomUUID()}`;
    // In one step and under the lock: no writer may find the folder half empty, or end in the one that comes after it.
    const move = () => rename(folder, aside).catch(absent);
    await this.#locked(id, move).catch((error: unknown) => {
      if (!(error instanceof RetortError && error.code === 'STORE_FULL')) throw error;
      // A full disk has no room for a lock either, and is what deleting helps against.
      return move();
    });
    await rm(aside, { recursive: true, force: true });
  }

  async append(id: string, event: Omit<JobEvent, 'id'>, after?: number): Promise<JobEvent> {
    return this.#locked(id, async (folder) => {
      const file = await open(join(folder, 'events.jsonl'), 'a+');
      try {
        const { text, end } = await lastLine(file);
        // A crash can leave half a line; it was never acknowledged.
        await file.truncate(end);
        const last = text === '' ? 0 : parseStored<JobEvent>(text, id).id;
        checkLast(id, last, after);
        const appended = { ...event, id: last + 1 };
        try {
          await file.appendFile(`${JSON.stringify(appended)}\n`);
          await file.sync();
        } catch (error) {
          // Readers must not see an event whose writer was told that it failed. Half a line they drop anyway.
          await file.truncate(end).catch(() => undefined);
          throw error;
        }
        if (last === 0) await syncFolder(folder);
        return appended;
      } finally {
        await file.close();
      }
    });
  }

  async events(id: string, after = 0): Promise<readonly JobEvent[]> {
    const text = (await readFile(join(this.#folder(id), 'events.jsonl'), 'utf8').catch(absent)) ?? '';
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines
      .slice(after)
      .filter((line) => line !== '')
      .map((line) => parseStored<JobEvent>(line, id));
  }

  #folder(id: string): string {
    return join(this.#root, `${recordName(id)}${RECORD_FOLDER}`);
  }

  /** Ids below a folder (`''` or `a/b/`) that begin with the prefix. */
  async *#ids(folder: string, prefix: string): AsyncGenerator<string> {
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch(absent);
    for (const entry of entries ?? []) {
      const path = `${folder}${entry.name}`;
      if (!entry.isDirectory() || !path.startsWith(prefix)) continue;
      if (path.endsWith(RECORD_FOLDER)) yield path.slice(0, -RECORD_FOLDER.length);
      else yield* this.#ids(`${path}/`, prefix);
    }
  }

  async #locked<T>(id: string, body: (folder: string) => Promise<T>): Promise<T> {
    const folder = this.#folder(id);
    for (let tries = 1; ; tries++) {
      try {
        await mkdir(folder, { recursive: true });
        return await withFileLock(join(folder, 'lock'), () => body(folder));
      } catch (error) {
        // Someone deleted the record, and with it the folder: look again.
        const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
        if (!gone || tries >= MAX_TRIES) throw storeFull(error, `the record ${id}`);
      }
    }
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
