import { RetortError } from '../errors.ts';
import type { BlobStore, JobStore, StoredRecord } from './ports.ts';
import type { Partial } from './stage.ts';

/** A record that is used says so by its `updatedAt`, which is then no older than this; retention counts on it. */
export const STAGE_TOUCH_MS = 3_600_000;

const MAX_TRIES = 20;

/**
 * The record of one stage at one key: `partial` while it is worked on, `done` with its output.
 *
 * Two jobs that ask for the same thing at once share a key. Each value is whole in itself and names its blobs by their
 * content, so either may replace a `partial` of the other and lose nothing but work; a `done` of the other stays.
 */
export class StageRecord implements Partial {
  readonly #jobs: JobStore;
  readonly #id: string;
  #record: StoredRecord | undefined;
  /** Whether another writer has finished: nothing is left to write. */
  #settled = false;

  private constructor(jobs: JobStore, id: string, record: StoredRecord | undefined) {
    this.#jobs = jobs;
    this.#id = id;
    this.#record = record;
  }

  static async open(jobs: JobStore, id: string): Promise<StageRecord> {
    return new StageRecord(jobs, id, await jobs.get(id));
  }

  /** The output, if the stage was finished and every blob it names is still there. */
  async output(blobs: BlobStore): Promise<{ readonly value: unknown } | undefined> {
    if (this.#record?.state !== 'done') return undefined;
    for (const hash of blobHashes(this.#record.value)) if (!(await blobs.has(hash))) return undefined;
    return (await this.#touch()) ? { value: this.#record.value } : undefined;
  }

  async load<T>(): Promise<T | undefined> {
    return this.#record?.state === 'partial' ? (this.#record.value as T) : undefined;
  }

  async save(value: unknown): Promise<void> {
    await this.#put('partial', value);
  }

  /** Returns the output that counts from now on: this one, or that of another writer who was faster. */
  async finish<T>(value: T): Promise<T> {
    await this.#put('done', value);
    return this.#settled ? (this.#record!.value as T) : value;
  }

  /** Keeps retention from a record that is used; false where it was swept at this very moment. */
  async #touch(): Promise<boolean> {
    if (Date.now() - (this.#record?.updatedAt ?? Date.now()) < STAGE_TOUCH_MS) return true;
    try {
      this.#record = this.#record && (await this.#jobs.put(this.#record));
    } catch (error) {
      if (!isConflict(error)) throw error;
      // Another user touched it, or the sweep took it.
      this.#record = await this.#jobs.get(this.#id);
    }
    return this.#record?.state === 'done';
  }

  async #put(state: string, value: unknown): Promise<void> {
    for (let tries = 1; !this.#settled; tries++) {
      const revision = this.#record?.revision ?? 0;
      try {
        // null, for JSON has no undefined.
        this.#record = await this.#jobs.put({ id: this.#id, revision, state, value: value ?? null });
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= MAX_TRIES) throw error;
        this.#record = await this.#jobs.get(this.#id);
        this.#settled = this.#record?.state === 'done';
      }
    }
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof RetortError && error.code === 'STORE_CONFLICT';

/** Hashes of all blob references inside a JSON value. */
function blobHashes(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { hash, bytes } = value as { hash?: unknown; bytes?: unknown };
  const own = typeof hash === 'string' && typeof bytes === 'number' ? [hash] : [];
  return [...own, ...Object.values(value).flatMap(blobHashes)];
}
