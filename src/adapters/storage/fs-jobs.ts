import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { RetortError } from '../../errors.ts';
import type { JobEvent, JobStore, StoredRecord } from '../../pipeline/ports.ts';
import { withFileLock } from './file-lock.ts';
import { nextRecord } from './next-record.ts';
import { recordName } from './record-name.ts';
import { syncFolder } from './sync-folder.ts';

/** Records as `jobs/<id>.job/record.json`, their events beside them as lines. Writers of one record take its lock. */
export class FsJobs implements JobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, 'jobs');
  }

  async get(id: string): Promise<StoredRecord | undefined> {
    const text = await readFile(join(this.#folder(id), 'record.json'), 'utf8').catch(absent);
    return text === undefined ? undefined : parse<StoredRecord>(text, id);
  }

  async put(record: StoredRecord): Promise<StoredRecord> {
    return this.#locked(record.id, async (folder) => {
      const next = nextRecord(await this.get(record.id), record);
      const temporary = join(folder, `record.${randomUUID()}`);
      await writeSynced(temporary, 'wx', JSON.stringify(next));
      await rename(temporary, join(folder, 'record.json'));
      await syncFolder(folder);
      return next;
    });
  }

  async list(filter: { readonly state?: string; readonly prefix?: string } = {}) {
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true }).catch(() => []);
    const ids = entries
      .filter((entry) => entry.name === 'record.json')
      .map((entry) => entry.parentPath.slice(this.#root.length + 1).replaceAll('\\', '/'))
      .map((folder) => folder.slice(0, -'.job'.length))
      .filter((id) => id.startsWith(filter.prefix ?? ''))
      .sort();
    const records = await Promise.all(ids.map((id) => this.get(id)));
    return records
      .filter((record) => record !== undefined)
      .filter((record) => filter.state === undefined || record.state === filter.state);
  }

  async delete(id: string): Promise<void> {
    await rm(this.#folder(id), { recursive: true, force: true });
  }

  async append(id: string, event: Omit<JobEvent, 'id'>): Promise<JobEvent> {
    return this.#locked(id, async (folder) => {
      const path = join(folder, 'events.jsonl');
      const text = (await readFile(path, 'utf8').catch(absent)) ?? '';
      const whole = text.lastIndexOf('\n') + 1;
      // A crash can leave half a line; it was never acknowledged.
      if (whole < text.length) await truncate(path, Buffer.byteLength(text.slice(0, whole)));
      const last = text.slice(text.lastIndexOf('\n', whole - 2) + 1, whole);
      const appended = { ...event, id: last === '' ? 1 : parse<JobEvent>(last, id).id + 1 };
      await writeSynced(path, 'a', `${JSON.stringify(appended)}\n`);
      return appended;
    });
  }

  async events(id: string, after = 0): Promise<readonly JobEvent[]> {
    const text = (await readFile(join(this.#folder(id), 'events.jsonl'), 'utf8').catch(absent)) ?? '';
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines
      .slice(after)
      .filter((line) => line !== '')
      .map((line) => parse<JobEvent>(line, id));
  }

  #folder(id: string): string {
    return join(this.#root, `${recordName(id)}.job`);
  }

  async #locked<T>(id: string, body: (folder: string) => Promise<T>): Promise<T> {
    const folder = this.#folder(id);
    await mkdir(folder, { recursive: true });
    return withFileLock(join(folder, 'lock'), () => body(folder));
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

function parse<T>(text: string, id: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new RetortError('STORE_CORRUPT', `the record of ${id} is damaged`, { cause });
  }
}

async function writeSynced(path: string, flag: string, text: string): Promise<void> {
  const file = await open(path, flag);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
