import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobRef, BlobStore } from '../../pipeline/ports.ts';
import { blobName, missingBlob } from './blob-name.ts';
import { concat } from './concat.ts';

/** Blobs in memory, for tests. `path` spills a copy to a temporary folder. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();
  #folder: string | undefined;

  async put(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const bytes = data instanceof Uint8Array ? data.slice() : await concat(data);
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.#blobs.set(hash, bytes);
    return { hash, bytes: bytes.byteLength };
  }

  async get(hash: string): Promise<Uint8Array> {
    const bytes = this.#blobs.get(blobName(hash));
    if (!bytes) throw missingBlob(hash);
    return bytes.slice();
  }

  async *stream(hash: string, range?: { readonly start: number; readonly end: number }) {
    const bytes = await this.get(hash);
    yield range ? bytes.subarray(range.start, range.end) : bytes;
  }

  async source(hash: string) {
    const bytes = await this.get(hash);
    return {
      name: hash,
      size: bytes.byteLength,
      read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
      stream: (start = 0, end = bytes.byteLength) => this.stream(hash, { start, end }),
      close: async () => {},
    };
  }

  async path(hash: string): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'retort-blobs-'));
    const path = join(this.#folder, blobName(hash));
    await writeFile(path, await this.get(hash));
    return path;
  }

  async has(hash: string): Promise<boolean> {
    return this.#blobs.has(blobName(hash));
  }

  async delete(hash: string): Promise<void> {
    this.#blobs.delete(blobName(hash));
  }

  /** Removes the spilled copies. */
  async close(): Promise<void> {
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}
