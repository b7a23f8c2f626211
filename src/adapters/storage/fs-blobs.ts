import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobRef, BlobStore } from '../../pipeline/ports.ts';
import { fileSource } from '../files/file-source.ts';
import { blobName, missingBlob } from './blob-name.ts';
import { syncFolder } from './sync-folder.ts';

/** Blobs as files `blobs/ab/abcd...`. A blob appears by rename after fsync, so it exists whole or not at all. */
export class FsBlobs implements BlobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const incoming = join(this.#root, 'incoming');
    await mkdir(incoming, { recursive: true });
    const temporary = join(incoming, randomUUID());
    try {
      const { hash, bytes } = await this.#write(temporary, data instanceof Uint8Array ? [data] : data);
      const target = this.#place(hash);
      if (!(await this.has(hash))) {
        await mkdir(dirname(target), { recursive: true });
        await rename(temporary, target);
        await syncFolder(dirname(target));
      }
      return { hash, bytes };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async get(hash: string): Promise<Uint8Array> {
    const path = await this.path(hash);
    return new Uint8Array(await readFile(path));
  }

  async *stream(hash: string, range?: { readonly start: number; readonly end: number }) {
    const path = await this.path(hash);
    if (range && range.end <= range.start) return;
    const options = range ? { start: range.start, end: range.end - 1 } : {};
    for await (const chunk of createReadStream(path, options)) yield chunk as Uint8Array;
  }

  async source(hash: string) {
    return fileSource(await this.path(hash), hash);
  }

  async path(hash: string): Promise<string> {
    if (!(await this.has(hash))) throw missingBlob(hash);
    return this.#place(hash);
  }

  async has(hash: string): Promise<boolean> {
    return access(this.#place(hash)).then(
      () => true,
      () => false,
    );
  }

  async delete(hash: string): Promise<void> {
    await rm(this.#place(hash), { force: true });
  }

  #place(hash: string): string {
    return join(this.#root, 'blobs', blobName(hash).slice(0, 2), hash);
  }

  async #write(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const digest = createHash('sha256');
    let bytes = 0;
    const file = await open(path, 'wx');
    try {
      for await (const chunk of chunks) {
        digest.update(chunk);
        bytes += chunk.byteLength;
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return { hash: digest.digest('hex'), bytes };
  }
}
