import type { Upload } from '../contract/resources.ts';
import { type FileInput, isStream, named } from './files.ts';
import { RetortApiError } from './retort-api-error.ts';
import { backoff } from './retry-delay.ts';
import { sleep } from './sleep.ts';
import type { Transport } from './transport.ts';

export interface UploadOptions {
  /** Bytes a request sends; what a broken connection loses at most. */
  readonly chunkBytes?: number;
  /** Goes on with an upload that was begun before. */
  readonly resume?: string;
  /** Told of its id, to resume it by, as soon as there is one. */
  readonly onStart?: (id: string) => void;
  readonly onProgress?: (sent: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_BYTES = 32 * 2 ** 20;
/** Failures in a row that bring no byte. */
const TRIES = 8;
const version = { 'tus-resumable': '1.0.0' };

/** Resumable uploads by tus 1.0: creation, PATCH by slices of a Blob, and HEAD after a break. */
export class Uploads {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Sends a file; its id (u_...) then stands for it in other requests. */
  async create(file: FileInput, options: UploadOptions = {}): Promise<Upload> {
    const { name, data } = named(file, 'upload');
    if (isStream(data)) throw new TypeError('a resumable upload needs a Blob; a stream cannot be sent again');
    const { signal } = options;
    const id = options.resume ?? (await this.#begin(name, data.size, signal));
    options.onStart?.(id);
    let offset = options.resume === undefined ? 0 : await this.#offset(id, signal);
    for (let tries = 0; offset < data.size; ) {
      options.onProgress?.(offset, data.size);
      const before = offset;
      try {
        offset = await this.#send(id, data, offset, options.chunkBytes ?? CHUNK_BYTES, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!passing(error) || ++tries > TRIES) throw error;
        await sleep(Math.max(backoff(tries), (error as RetortApiError).retryAfter ?? 0), signal);
        offset = await this.#offset(id, signal);
      }
      if (offset > before) tries = 0;
    }
    options.onProgress?.(data.size, data.size);
    return this.get(id, signal);
  }

  get(id: string, signal?: AbortSignal): Promise<Upload> {
    return this.#transport.json({ path: pathOf(id), signal });
  }

  delete(id: string): Promise<void> {
    return this.#transport.done({ method: 'DELETE', path: pathOf(id), headers: version });
  }

  async #begin(name: string, bytes: number, signal: AbortSignal | undefined): Promise<string> {
    const response = await this.#transport.send({
      method: 'POST',
      path: 'v1/uploads',
      // One that was made without our hearing of it expires on the server.
      idempotent: true,
      headers: { ...version, 'upload-length': `${bytes}`, 'upload-metadata': `filename ${base64(name)}` },
      signal,
    });
    await response.body?.cancel();
    // Only the id is taken from it: a proxy may not tell the server its outer address.
    const id = /([^/?#]+)\/?(?:[?#].*)?$/.exec(response.headers.get('location') ?? '')?.[1];
    if (id) return decodeURIComponent(id);
    throw broken('the answer to the creation of an upload has no Location', response.status);
  }

  async #send(id: string, data: Blob, offset: number, bytes: number, signal: AbortSignal | undefined) {
    const response = await this.#transport.send({
      method: 'PATCH',
      path: pathOf(id),
      headers: {
        ...version,
        'upload-offset': `${offset}`,
        'content-type': 'application/offset+octet-stream',
      },
      body: data.slice(offset, offset + bytes),
      signal,
    });
    await response.body?.cancel();
    return offsetOf(response);
  }

  async #offset(id: string, signal: AbortSignal | undefined): Promise<number> {
    return offsetOf(
      await this.#transport.send({ method: 'HEAD', path: pathOf(id), headers: version, signal }),
    );
  }
}

const pathOf = (id: string): string => `v1/uploads/${encodeURIComponent(id)}`;

/** What may go away by itself: breaks, and an offset or a lock that an earlier, broken request still holds. */
const passing = (error: unknown): boolean =>
  error instanceof RetortApiError && (error.retryable || error.status === 409 || error.status === 423);

function offsetOf({ headers, status }: Response): number {
  const offset = headers.get('upload-offset') ?? '';
  if (/^\d+$/.test(offset)) return Number(offset);
  throw broken('the answer to an upload has no Upload-Offset', status);
}

const broken = (message: string, status: number): RetortApiError =>
  new RetortApiError(message, {
    code: 'UPLOAD_ABORTED',
    status,
    retryable: false,
    hint: 'Look at what stands between the client and the server: it may drop headers.',
  });

/** Of the UTF-8 bytes. */
function base64(text: string): string {
  return btoa([...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte)).join(''));
}
