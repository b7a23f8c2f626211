import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import type { Clock, RecordFilter, StoredRecord } from '../../src/pipeline/ports.ts';

/** Stores in memory that date what is written by a clock of the test's. */

export class DatedJobs extends MemoryJobs {
  readonly #times = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  override async put(record: StoredRecord) {
    const written = await super.put(record);
    this.#times.set(record.id, this.#clock.now());
    return this.#dated(written);
  }

  override async get(id: string) {
    const record = await super.get(id);
    return record && this.#dated(record);
  }

  override async list(filter: RecordFilter = {}) {
    return (await super.list(filter)).map((record) => this.#dated(record));
  }

  #dated(record: StoredRecord): StoredRecord {
    return { ...record, updatedAt: this.#times.get(record.id)! };
  }
}

export class DatedBlobs extends MemoryBlobs {
  readonly #times = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  override async put(data: Uint8Array | AsyncIterable<Uint8Array>) {
    const ref = await super.put(data);
    this.#times.set(ref.hash, this.#clock.now());
    return ref;
  }

  override async stat(hash: string) {
    const found = await super.stat(hash);
    return found && { ...found, modifiedAt: this.#times.get(hash)! };
  }

  override async *list() {
    for await (const blob of super.list()) yield { ...blob, modifiedAt: this.#times.get(blob.hash)! };
  }
}
