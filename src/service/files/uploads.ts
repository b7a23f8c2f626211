import { ulid } from 'ulid';
import { RetortError } from '../../errors.ts';
import type { BlobStore, Clock, JobStore } from '../../pipeline/ports.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import { unlessConflict } from '../unless-conflict.ts';

/** A finished upload: the value of the record `upload/<id>`. Times are milliseconds since 1970. */
export interface StoredUpload {
  readonly id: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly file: Artifact;
}

export interface UploadsTools {
  readonly jobs: JobStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** How long a finished upload can be referred to, milliseconds. */
  readonly retainMs: number;
}

export const newUploadId = (): string => `u_${ulid()}`;

const keyOf = (id: string): string => `upload/${id}`;

/** Files that came in pieces and are whole now. */
export class Uploads {
  readonly #tools: UploadsTools;

  constructor(tools: UploadsTools) {
    this.#tools = tools;
  }

  async find(id: string): Promise<StoredUpload | undefined> {
    if (!/^u_[0-9A-Z]{26}$/.test(id)) return undefined;
    return (await this.#tools.jobs.get(keyOf(id)))?.value as StoredUpload | undefined;
  }

  /** One of this owner's. */
  async get(id: string, owner?: string): Promise<StoredUpload> {
    const upload = await this.find(id);
    if (upload && (owner === undefined || upload.owner === owner)) return upload;
    throw new RetortError('NOT_FOUND', `there is no finished upload ${id}`, {
      hint: 'Uploads can be used when all their bytes have come, and for some days after.',
    });
  }

  /** Takes the bytes of a whole upload into the store. Doing it twice changes nothing. */
  async finish(
    id: string,
    owner: string,
    name: string,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<StoredUpload> {
    const { jobs, blobs, clock, retainMs } = this.#tools;
    const blob = await blobs.put(bytes);
    const createdAt = clock.now();
    const value = { id, owner, createdAt, expiresAt: createdAt + retainMs, file: { name, ...blob } };
    await jobs.put({ id: keyOf(id), revision: 0, state: 'ready', value }).catch(unlessConflict);
    return this.get(id);
  }

  async delete(id: string): Promise<void> {
    await this.#tools.jobs.delete(keyOf(id));
  }
}
