import type { BlobRef } from '../../pipeline/ports.ts';
import { FsBlobs } from './fs-blobs.ts';

/** A file handed out or brought in so lately is not removed: someone may be about to open it. */
const GRACE_MS = 600_000;

/** Copies of blobs on this machine's disk, shared by its processes; the longest unused go when they are too many bytes. */
export class BlobCache {
  readonly #files: FsBlobs;
  readonly #most: number;
  /** Bytes brought in since the cache was last looked over. */
  #added = Number.POSITIVE_INFINITY;

  constructor(folder: string, most: number) {
    this.#files = new FsBlobs(folder);
    this.#most = most;
  }

  /** Brings bytes in; says what they are. */
  async add(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const ref = await this.#files.put(data);
    this.#added += ref.bytes;
    if (this.#added > this.#most / 16) {
      this.#added = 0;
      await this.#trim(Date.now() - GRACE_MS);
    }
    return ref;
  }

  /** Where the file is, if it is here; it counts as used now. */
  async find(hash: string): Promise<string | undefined> {
    return (await this.#files.touch(hash)) ? this.#files.path(hash) : undefined;
  }

  async drop(hash: string): Promise<void> {
    await this.#files.delete(hash);
  }

  /** Removes what downloads and uploads that died have left. */
  clean(olderThan: number): Promise<number> {
    return this.#files.clean(olderThan);
  }

  async #trim(unusedSince: number): Promise<void> {
    const files = [];
    for await (const file of this.#files.list()) files.push(file);
    files.sort((a, b) => a.modifiedAt - b.modifiedAt);
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (bytes <= this.#most || file.modifiedAt > unusedSince) return;
      await this.#files.delete(file.hash);
      bytes -= file.bytes;
    }
  }
}
