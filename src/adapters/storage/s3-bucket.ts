import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BlobStat } from '../../pipeline/ports.ts';
import { s3Error, s3Status } from './s3-error.ts';

export interface S3Place {
  readonly bucket: string;
  /** Put before every key. */
  readonly prefix: string;
  readonly region: string;
  /** `''`: AWS. */
  readonly endpoint: string;
}

const MiB = 2 ** 20;
const PART = 8 * MiB;
/** S3 takes 10,000 parts of an object, and copies up to 5 GiB in one request. */
const MAX_PARTS = 10_000;
const MAX_COPY = 5 * 1024 * MiB;
const MAX_TRIES = 5;

/** A bucket as the stores need it: keys without the prefix, errors in our words, writes on a condition. */
export class S3Bucket {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ bucket, prefix, region, endpoint }: S3Place) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      region,
      // Servers other than AWS seldom have a host name for each bucket, and not all know its newer checksums. Each
      // request is signed with the sha256 of its body, so that one damaged on the way is refused all the same.
      ...(endpoint === '' ? {} : { endpoint, forcePathStyle: true }),
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
    });
  }

  /** An object, or bytes start..end-1 of it. */
  async get(key: string, range?: { readonly start: number; readonly end: number }) {
    const found = await this.#ask(() =>
      this.#client.send(
        new GetObjectCommand({
          ...this.#at(key),
          ...(range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {}),
        }),
      ),
    );
    if (!found) return undefined;
    return { etag: found.ETag ?? '', body: this.#read(found.Body as AsyncIterable<Uint8Array>) };
  }

  async head(key: string): Promise<(BlobStat & { readonly write: string | undefined }) | undefined> {
    const found = await this.#ask(() => this.#client.send(new HeadObjectCommand(this.#at(key))));
    if (!found) return undefined;
    const { ContentLength = 0, LastModified, Metadata } = found;
    return { bytes: ContentLength, modifiedAt: LastModified?.getTime() ?? 0, write: Metadata?.write };
  }

  /** Writes a small object if there is none yet, or where `etag` is given, only over that one; false where it was not so. */
  async put(key: string, text: string, etag?: string): Promise<boolean> {
    const write = randomUUID();
    const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
    const command = { ...this.#at(key), Body: text, Metadata: { write }, ...condition };
    for (let tries = 1; ; tries++) {
      try {
        await this.#client.send(new PutObjectCommand(command));
        return true;
      } catch (error) {
        const status = s3Status(error);
        const refused = status === 412 || (status === 404 && (error as Error).name !== 'NoSuchBucket');
        // An answer that was lost makes the client ask again, and then its own object is in the way.
        if (refused) return (await this.head(key))?.write === write;
        // 409: another write was on its way at the same time; whether it got through is not known yet.
        if (status !== 409 || tries >= MAX_TRIES) throw s3Error(error, this.#bucket);
        await sleep(20 * 2 ** tries);
      }
    }
  }

  /** Uploads a file, a large one in parts. A multipart upload appears whole or not at all. */
  async upload(key: string, path: string): Promise<void> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const at = this.#at(key);
      if (size <= PART) {
        await this.#client.send(new PutObjectCommand({ ...at, Body: await file.readFile() }));
        return;
      }
      const partSize = Math.max(PART, Math.ceil(size / MAX_PARTS));
      const Body = file.createReadStream({ autoClose: false, highWaterMark: MiB });
      await new Upload({ client: this.#client, params: { ...at, Body }, partSize, queueSize: 4 }).done();
    } catch (error) {
      throw s3Error(error, this.#bucket);
    } finally {
      await file.close();
    }
  }

  /** Marks an object as modified now, by a copy onto itself; false where that cannot be. */
  async touch(key: string, bytes: number): Promise<boolean> {
    if (bytes > MAX_COPY) return false;
    const { Bucket, Key } = this.#at(key);
    const CopySource = `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`;
    const copy = new CopyObjectCommand({ Bucket, Key, CopySource, MetadataDirective: 'REPLACE' });
    return (await this.#ask(() => this.#client.send(copy))) !== undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#ask(() => this.#client.send(new DeleteObjectCommand(this.#at(key))));
  }

  /** Objects whose keys begin with `prefix`, sorted, those after the key `after` only. */
  async *list(prefix: string, after?: string): AsyncGenerator<BlobStat & { readonly key: string }> {
    const where = {
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      ...(after === undefined ? {} : { StartAfter: this.#prefix + after }),
    };
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, where)) {
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
          const modifiedAt = LastModified?.getTime() ?? 0;
          yield { key: Key.slice(this.#prefix.length), bytes: Size, modifiedAt };
        }
      }
    } catch (error) {
      throw s3Error(error, this.#bucket);
    }
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  async *#read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw s3Error(error, this.#bucket);
    }
  }

  /** The answer, or undefined where there is no such object. */
  async #ask<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      return await request();
    } catch (error) {
      if (s3Status(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
      throw s3Error(error, this.#bucket);
    }
  }
}
