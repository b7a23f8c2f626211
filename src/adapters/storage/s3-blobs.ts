import { readFile } from 'node:fs/promises';
import { RetortError } from '../../errors.ts';
import type { BlobRef, BlobStat, BlobStore } from '../../pipeline/ports.ts';
import { fileSource } from '../files/file-source.ts';
import type { BlobCache } from './blob-cache.ts';
import { blobName, isBlobName, missingBlob } from './blob-name.ts';
import type { S3Bucket } from './s3-bucket.ts';

/**
 * Blobs as objects `blobs/ab/abcd...`. A blob's name is known when its last byte is, so it goes to the cache first and
 * from there to the bucket, where an object appears whole or not at all.
 *
 * Whole blobs and reads by position go through the cache too: a dataset is read in thousands of small pieces, each of
 * which would be a request, and a worker needs all of it anyway. What comes down is checked against its hash.
 * Uploads in parts that died are the bucket's to remove: give it a lifecycle rule AbortIncompleteMultipartUpload.
 */
export class S3Blobs implements BlobStore {
  readonly #bucket: S3Bucket;
  readonly #cache: BlobCache;
  readonly #downloads = new Map<string, Promise<string>>();

  constructor(bucket: S3Bucket, cache: BlobCache) {
    this.#bucket = bucket;
    this.#cache = cache;
  }

  async put(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const ref = await this.#cache.add(data);
    const key = keyOf(ref.hash);
    const there = (await this.stat(ref.hash))?.bytes === ref.bytes;
    if (there && (await this.#bucket.touch(key, ref.bytes))) return ref;
    await this.#bucket.upload(key, await this.path(ref.hash));
    const stored = await this.stat(ref.hash);
    if (stored?.bytes === ref.bytes) return ref;
    throw new RetortError(
      'STORE_CORRUPT',
      `${ref.bytes} bytes of blob ${ref.hash} were uploaded, the bucket has ${stored?.bytes ?? 'none'}`,
    );
  }

  async get(hash: string): Promise<Uint8Array> {
    return new Uint8Array(await readFile(await this.path(hash)));
  }

  async *stream(hash: string, range?: { readonly start: number; readonly end: number }) {
    const size = range && (await this.stat(hash))?.bytes;
    // No range of HTTP is empty, and one behind the end is an error.
    if (range && size !== undefined && range.start >= Math.min(range.end, size)) return;
    const object = await this.#bucket.get(keyOf(hash), range);
    if (!object) throw missingBlob(hash);
    yield* object.body;
  }

  async source(hash: string) {
    return fileSource(await this.path(hash), hash);
  }

  async path(hash: string): Promise<string> {
    const cached = await this.#cache.find(blobName(hash));
    if (cached !== undefined) return cached;
    const running = this.#downloads.get(hash);
    if (running) return running;
    const download = this.#download(hash).finally(() => this.#downloads.delete(hash));
    this.#downloads.set(hash, download);
    return download;
  }

  async has(hash: string): Promise<boolean> {
    return (await this.stat(hash)) !== undefined;
  }

  async stat(hash: string): Promise<BlobStat | undefined> {
    const found = await this.#bucket.head(keyOf(hash));
    return found && { bytes: found.bytes, modifiedAt: found.modifiedAt };
  }

  async *list() {
    for await (const { key, bytes, modifiedAt } of this.#bucket.list('blobs/')) {
      const hash = key.slice(key.lastIndexOf('/') + 1);
      if (isBlobName(hash)) yield { hash, bytes, modifiedAt };
    }
  }

  async delete(hash: string): Promise<void> {
    await this.#bucket.delete(keyOf(hash));
    await this.#cache.drop(hash);
  }

  clean(olderThan: number): Promise<number> {
    return this.#cache.clean(olderThan);
  }

  async #download(hash: string): Promise<string> {
    const object = await this.#bucket.get(keyOf(hash));
    if (!object) throw missingBlob(hash);
    const got = await this.#cache.add(object.body);
    const path = got.hash === hash ? await this.#cache.find(hash) : undefined;
    if (path !== undefined) return path;
    await this.#cache.drop(got.hash);
    throw new RetortError('STORE_CORRUPT', `blob ${hash} came from the bucket with the sha256 ${got.hash}`);
  }
}

const keyOf = (hash: string): string => `blobs/${blobName(hash).slice(0, 2)}/${hash}`;
