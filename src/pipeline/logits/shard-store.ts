import type { BlobRef, BlobStore, JobStore } from '../ports.ts';
import { StageRecord } from '../stage-record.ts';

/**
 * Finished shards of one teacher that was asked one thing, a record `shard/<key>/<name>` each, so that any process can
 * add to them.
 */
export class ShardStore {
  readonly #jobs: JobStore;
  readonly #blobs: BlobStore;
  readonly #key: string;

  constructor({ jobs, blobs }: { readonly jobs: JobStore; readonly blobs: BlobStore }, key: string) {
    this.#jobs = jobs;
    this.#blobs = blobs;
    this.#key = key;
  }

  async find(name: string): Promise<BlobRef | undefined> {
    const found = await (await this.#open(name)).output(this.#blobs);
    return found?.value as BlobRef | undefined;
  }

  /** Keeps a shard. Where another process was faster, its shard is the one that counts. */
  async keep(name: string, data: Uint8Array): Promise<BlobRef> {
    const record = await this.#open(name);
    const known = await record.output(this.#blobs);
    return known ? (known.value as BlobRef) : record.finish(await this.#blobs.put(data));
  }

  #open(name: string): Promise<StageRecord> {
    return StageRecord.open(this.#jobs, `shard/${this.#key}/${name}`);
  }
}
