import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RetortError } from '../../errors.ts';
import { newUploadId, type StoredUpload } from '../../service/files/uploads.ts';
import type { ApiContext } from '../context.ts';
import { mine } from '../mine.ts';
import type { Principal } from '../principal.ts';
import { fileName } from './file-name.ts';

/** How long an upload may take from its first to its last byte, and how often the late ones are swept, milliseconds. */
const EXPIRES = 24 * 3_600_000;
const SWEEP = 3_600_000;
const PROTOCOL = 'This is the tus protocol, version 1.0: https://tus.io/protocols/resumable-upload';

type TusRequest = Parameters<NonNullable<Server['options']['onUploadCreate']>>[0];
type TusUpload = Parameters<NonNullable<Server['options']['onUploadCreate']>>[1];

/**
 * The tus protocol over the raw request. Bytes gather in a file of this machine; the whole file goes to the BlobStore,
 * a record takes its place, and the file is removed.
 */
export class TusUploads {
  readonly #context: ApiContext;
  readonly #store: FileStore;
  readonly #server: Server;
  readonly #requests = new WeakMap<IncomingMessage, FastifyRequest>();
  readonly #finishing = new Map<string, Promise<StoredUpload>>();
  readonly #sweep: NodeJS.Timeout;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#store = new FileStore({
      directory: join(context.config.dataFolder, 'uploads'),
      expirationPeriodInMilliseconds: EXPIRES,
    });
    this.#server = new Server({
      path: '/v1/uploads',
      datastore: this.#store,
      relativeLocation: true,
      maxSize: context.config.RETORT_MAX_UPLOAD_BYTES,
      allowedOrigins: [],
      namingFunction: newUploadId,
      // The id that was claimed. On its own tus would take the last part of the URL, and that can be of the query.
      getFileIdFromRequest: (request) => (this.#asked(request).params as { readonly id: string }).id,
      onUploadCreate: async (request, upload) => this.#create(request, upload),
      onUploadFinish: async (_request, upload) => {
        const { id } = await this.#finish(upload);
        return { headers: { 'Upload-Id': id } };
      },
      onResponseError: (_request, error) => {
        throw isTusError(error) ? tusError(error) : error;
      },
    });
    this.#sweep = setInterval(() => void this.#expire(), SWEEP).unref();
    void this.#expire();
  }

  /** Lets tus answer; what it refuses is thrown, to be answered like every other error. */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    void reply.header('tus-resumable', '1.0.0');
    if (request.method !== 'OPTIONS' && request.headers['tus-resumable'] !== '1.0.0') {
      throw tusError({ status_code: 412, body: `Tus-Resumable: 1.0.0 is missing. ${PROTOCOL}` });
    }
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    this.#requests.set(request.raw, request);
    await this.#server.handle(request.raw, reply.raw);
    return reply.hijack();
  }

  /**
   * NOT_FOUND unless the upload is this principal's. One whose bytes are all there while its record is not was cut off
   * at the very end: that end is made up for, and its record returned.
   */
  async claim(id: string, principal: Principal): Promise<StoredUpload | undefined> {
    const upload = await this.#find(id);
    mine(principal, { id, owner: upload.metadata?.owner ?? '' });
    return upload.size !== undefined && upload.offset === upload.size ? this.#finish(upload) : undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
  }

  async #find(id: string): Promise<TusUpload> {
    const missing = new RetortError('NOT_FOUND', `there is no upload ${id}`);
    if (!/^u_[0-9A-Z]{26}$/.test(id)) throw missing;
    return this.#store.getUpload(id).catch((error: unknown) => {
      if (isTusError(error)) throw missing;
      throw error;
    });
  }

  #asked(request: TusRequest): FastifyRequest {
    return this.#requests.get(request.runtime!.node!.req as IncomingMessage)!;
  }

  async #create(request: TusRequest, upload: TusUpload) {
    const { slots, freeBytes, config } = this.#context;
    const needed = (upload.size ?? 0) + slots.pending() + config.RETORT_MIN_FREE_BYTES;
    if ((await freeBytes()) < needed) {
      throw new RetortError(
        'STORE_FULL',
        `there is no room for an upload of ${upload.size ?? 'unknown'} bytes`,
      );
    }
    const name = fileName(upload.metadata?.filename ?? undefined, upload.id);
    return { metadata: { ...upload.metadata, filename: name, owner: this.#asked(request).principal.id } };
  }

  /** Several requests can find an upload whole at the same time; one of them takes it over. */
  #finish(upload: TusUpload): Promise<StoredUpload> {
    const running = this.#finishing.get(upload.id);
    if (running) return running;
    const taken = this.#takeOver(upload).finally(() => this.#finishing.delete(upload.id));
    this.#finishing.set(upload.id, taken);
    return taken;
  }

  async #takeOver({ id, metadata }: TusUpload): Promise<StoredUpload> {
    const { uploads, metrics } = this.#context;
    const bytes = createReadStream(join(this.#store.directory, id));
    const stored = await uploads.finish(id, metadata!.owner!, metadata!.filename!, bytes);
    metrics.uploaded(stored.file.bytes);
    await this.#store.remove(id);
    return stored;
  }

  async #expire(): Promise<void> {
    await this.#server.cleanUpExpiredUploads().catch((error: unknown) => {
      this.#context.log.error({ err: error }, 'unfinished uploads could not be swept');
    });
  }
}

interface TusError {
  readonly status_code: number;
  readonly body: string;
}

const isTusError = (error: unknown): error is TusError =>
  typeof error === 'object' && error !== null && 'status_code' in error && 'body' in error;

/** Keeps the statuses of tus, which its clients know. */
function tusError({ status_code: statusCode, body }: TusError): Error {
  const text = body.trim();
  if (statusCode === 404 || statusCode === 410) return new RetortError('NOT_FOUND', text);
  if (statusCode === 413) return new RetortError('UPLOAD_TOO_LARGE', text);
  return Object.assign(new Error(text), { statusCode });
}
