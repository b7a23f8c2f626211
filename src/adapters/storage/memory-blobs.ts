import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobRef, BlobStat, BlobStore } from '../../pipeline/ports.ts';
import { blobName, missingBlob } from './blob-name.ts';
import { concat } from './concat.ts';

/** Blobs in memory, for tests. `path` spills a copy to a temporary folder. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<string, { readonly bytes: Uint8Array; readonly modifiedAt: number }>();
  #folder: string | undefined;

  async put(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const bytes = data instanceof Uint8Array ? data.slice() : await concat(data);
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.#blobs.set(hash, { bytes, modifiedAt: Date.now() });
    return { hash, bytes: bytes.byteLength };
  }

  async get(hash: string): Promise<Uint8Array> {
    const blob = this.#blobs.get(blobName(hash));
    if (!blob) throw missingBlob(hash);
    return blob.bytes.slice();
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

  async stat(hash: string): Promise<BlobStat | undefined> {
    const blob = this.#blobs.get(blobName(hash));
    return blob && { bytes: blob.bytes.byteLength, modifiedAt: blob.modifiedAt };
  }

  async *list() {
    for (const [hash, { bytes, modifiedAt }] of [...this.#blobs]) {
      yield { hash, bytes: bytes.byteLength, modifiedAt };
    }
  }

  async delete(hash: string): Promise<void> {
    this.#blobs.delete(blobName(hash));
  }

  /** Nothing is ever left here. */
  async clean(): Promise<number> {
    return 0;
  }

  /** Removes the spilled copies. */
  async close(): Promise<void> {
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}
