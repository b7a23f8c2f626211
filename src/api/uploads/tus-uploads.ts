import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catalogue, RetortError } from '../../errors.ts';
import { faultOf } from '../../service/fault.ts';
import { newUploadId, type StoredUpload } from '../../service/uploads.ts';
import type { ApiContext } from '../context.ts';
import { knownError } from '../known-error.ts';
import { mine } from '../mine.ts';
import type { Principal } from '../principal.ts';
import { problemOf } from '../send-problem.ts';
import { fileName } from './file-name.ts';

/** How long an upload may take from its first to its last byte, and how often the late ones are swept, milliseconds. */
const EXPIRES = 24 * 3_600_000;
const SWEEP = 3_600_000;

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
      onUploadCreate: async (request, upload) => this.#create(request, upload),
      onUploadFinish: async (_request, upload) => {
        const { id } = await this.#finish(upload);
        return { headers: { 'Upload-Id': id } };
      },
      onResponseError: (request, error) => this.#problem(request, error),
    });
    this.#sweep = setInterval(() => void this.#expire(), SWEEP).unref();
    void this.#expire();
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.hijack();
    this.#requests.set(request.raw, request);
    await this.#server.handle(request.raw, reply.raw);
    return reply;
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

  async #create(request: TusRequest, upload: TusUpload) {
    const { slots, freeBytes, config } = this.#context;
    const asked = this.#requests.get(request.runtime!.node!.req as IncomingMessage)!;
    const needed = (upload.size ?? 0) + slots.pending() + config.RETORT_MIN_FREE_BYTES;
    if ((await freeBytes()) < needed) {
      throw new RetortError(
        'STORE_FULL',
        `there is no room for an upload of ${upload.size ?? 'unknown'} bytes`,
      );
    }
    const name = fileName(upload.metadata?.filename ?? undefined, upload.id);
    return { metadata: { ...upload.metadata, filename: name, owner: asked.principal.id } };
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

  /** Errors of tus keep its statuses, which its clients know; their bodies are problems like all others. */
  #problem(request: TusRequest, thrown: Error | { readonly status_code: number; readonly body: string }) {
    const { req, res } = request.runtime!.node!;
    const asked = this.#requests.get(req as IncomingMessage)!;
    const error = isTusError(thrown) ? tusError(thrown) : (knownError(thrown)?.error ?? thrown);
    const fault = faultOf(error);
    const status = isTusError(thrown) ? thrown.status_code : catalogue[fault.code].http;
    if (status >= 500) asked.log.error({ err: thrown, code: fault.code }, fault.message);
    res!.setHeader('content-type', 'application/problem+json');
    const problem = problemOf(fault, status, asked.url.slice(0, 500), asked.id);
    return { status_code: status, body: JSON.stringify(problem) };
  }

  async #expire(): Promise<void> {
    await this.#server.cleanUpExpiredUploads().catch((error: unknown) => {
      this.#context.log.error({ err: error }, 'unfinished uploads could not be swept');
    });
  }
}

const isTusError = (error: unknown): error is { readonly status_code: number; readonly body: string } =>
  typeof error === 'object' && error !== null && 'status_code' in error && 'body' in error;

function tusError({ status_code: status, body }: { readonly status_code: number; readonly body: string }) {
  const text = body.trim();
  if (status === 404 || status === 410) return new RetortError('NOT_FOUND', text);
  if (status === 413) return new RetortError('UPLOAD_TOO_LARGE', text);
  return status >= 500 ? new Error(text) : new RetortError('UPLOAD_INVALID', text);
}
