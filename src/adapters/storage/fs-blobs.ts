import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobRef, BlobStat, BlobStore } from '../../pipeline/ports.ts';
import { fileSource } from '../files/file-source.ts';
import { absent } from './absent.ts';
import { blobName, isBlobName, missingBlob } from './blob-name.ts';
import { storeFull } from './store-full.ts';
import { syncFolder } from './sync-folder.ts';

/** Blobs as files `blobs/ab/abcd...`. A blob appears by rename after fsync, so it exists whole or not at all. */
export class FsBlobs implements BlobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const temporary = join(this.#incoming, randomUUID());
    try {
      await mkdir(this.#incoming, { recursive: true });
      const ref = await write(temporary, data instanceof Uint8Array ? [data] : data);
      const target = this.#place(ref.hash);
      if (!(await this.touch(ref.hash, ref.bytes))) {
        await mkdir(dirname(target), { recursive: true });
        await rename(temporary, target);
        await syncFolder(dirname(target));
      }
      return ref;
    } catch (error) {
      throw storeFull(error, 'a file');
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
    return (await this.stat(hash)) !== undefined;
  }

  async stat(hash: string): Promise<BlobStat | undefined> {
    const found = await stat(this.#place(hash)).catch(absent);
    return found && { bytes: found.size, modifiedAt: found.mtimeMs };
  }

  /** Marks a blob as modified now; false where it is not there with so many bytes, or was swept at this very moment. */
  async touch(hash: string, bytes?: number): Promise<boolean> {
    const found = await this.stat(hash);
    if (!found || found.bytes !== (bytes ?? found.bytes)) return false;
    const now = new Date();
    return utimes(this.#place(hash), now, now).then(
      () => true,
      (error) => absent(error) ?? false,
    );
  }

  async *list() {
    const blobs = join(this.#root, 'blobs');
    for (const folder of await names(blobs)) {
      for (const hash of (await names(join(blobs, folder))).filter(isBlobName)) {
        const found = await this.stat(hash);
        if (found) yield { hash, ...found };
      }
    }
  }

  async delete(hash: string): Promise<void> {
    await rm(this.#place(hash), { force: true });
  }

  async clean(olderThan: number): Promise<number> {
    let removed = 0;
    for (const path of (await names(this.#incoming)).map((name) => join(this.#incoming, name))) {
      const found = await stat(path).catch(absent);
      if (!found || found.mtimeMs >= olderThan) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }

  get #incoming(): string {
    return join(this.#root, 'incoming');
  }

  #place(hash: string): string {
    return join(this.#root, 'blobs', blobName(hash).slice(0, 2), hash);
  }
}

const names = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(absent)) ?? [];

async function write(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<BlobRef> {
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
