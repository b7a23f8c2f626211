import { RetortApiError } from './retort-api-error.ts';
import { backoff } from './retry-delay.ts';
import { Sha256 } from './sha256.ts';
import { sleep } from './sleep.ts';
import type { Transport } from './transport.ts';

export interface DownloadOptions {
  /** First byte wanted; what begins later than 0 is not checked against the sha256 of the whole. */
  readonly from?: number;
  /** sha256 the bytes must have, lower-case hex; default: the one the server names. */
  readonly sha256?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Repetitions in a row that bring no byte. */
const TRIES = 4;

/**
 * The bytes of one file, whole or not at all: a connection that breaks is taken up again with Range where it broke, and
 * the last byte is given only when the sha256 is right.
 */
export class Download {
  readonly #transport: Transport;
  readonly #path: string;
  readonly #options: DownloadOptions;
  #at: number;
  #end: number | undefined;
  #etag: string | undefined;
  #sha256: string | undefined;

  private constructor(transport: Transport, path: string, options: DownloadOptions) {
    this.#transport = transport;
    this.#path = path;
    this.#options = options;
    this.#at = options.from ?? 0;
    this.#sha256 = options.sha256;
  }

  /** Asks for the file; resolves when its first bytes are on the way. */
  static async start(transport: Transport, path: string, options: DownloadOptions = {}) {
    const download = new Download(transport, path, options);
    const first = await download.#ask();
    return {
      /** Bytes of the whole file; undefined where the server does not say. */
      bytes: download.#end,
      /** What the bytes are checked against. */
      sha256: download.#sha256,
      stream: streamOf(download.#bytes(first)),
    };
  }

  async #ask(): Promise<Response> {
    const resumed = this.#at > 0;
    const response = await this.#transport.send({
      path: this.#path,
      headers: {
        // Compressed bytes could not be counted, so neither resumed.
        'accept-encoding': 'identity',
        ...(resumed ? { range: `bytes=${this.#at}-` } : {}),
        ...(resumed && this.#etag ? { 'if-range': this.#etag } : {}),
      },
      signal: this.#options.signal,
    });
    if (resumed && startOf(response) !== this.#at) {
      await response.body?.cancel();
      throw this.#damaged('it has changed on the server meanwhile, or cannot be had in parts');
    }
    const { headers } = response;
    this.#etag ??= headers.get('etag') ?? undefined;
    this.#sha256 ??= digestOf(headers.get('repr-digest'));
    const length = headers.get('content-length');
    if (length !== null && !headers.has('content-encoding')) this.#end ??= this.#at + Number(length);
    return response;
  }

  async *#bytes(first: Response): AsyncGenerator<Uint8Array, void> {
    const check = (this.#options.from ?? 0) === 0 ? new Sha256() : undefined;
    // One piece is held back, so that nothing is complete before it is checked.
    let held: Uint8Array | undefined;
    for (let response: Response | undefined = first, tries = 0; ; response = undefined) {
      const before = this.#at;
      try {
        response ??= await this.#ask();
        for await (const bytes of chunks(response)) {
          check?.update(bytes);
          this.#at += bytes.length;
          if (held) yield held;
          held = bytes;
        }
        if (this.#end === undefined || this.#at >= this.#end) break;
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (error instanceof RetortApiError && !error.retryable) throw error;
        if (this.#end === undefined) throw error;
      }
      tries = this.#at > before ? 0 : tries + 1;
      if (tries >= TRIES) throw this.#damaged(`the connection broke ${TRIES} times at byte ${this.#at}`);
      await sleep(backoff(Math.max(0, tries - 1)), this.#options.signal);
    }
    const found = check?.hex();
    if (found && this.#sha256 && found !== this.#sha256) {
      throw this.#damaged(`its sha256 is ${found} and should be ${this.#sha256}`);
    }
    if (held) yield held;
  }

  #damaged(why: string): RetortApiError {
    return new RetortApiError(`${this.#path} was not received whole: ${why}`, {
      code: 'STORE_CORRUPT',
      status: 0,
      retryable: false,
      hint: 'Download it again; what was written of it is not to be used.',
    });
  }
}

async function* chunks({ body }: Response): AsyncGenerator<Uint8Array, void> {
  if (!body) return;
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function streamOf(bytes: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await bytes.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await bytes.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** First byte of a partial answer. */
function startOf({ status, headers }: Response): number | undefined {
  const range = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '');
  return status === 206 && range ? Number(range[1]) : undefined;
}

/** sha256 of a Repr-Digest header (RFC 9530), lower-case hex. */
export function digestOf(header: string | null): string | undefined {
  const base64 = /\bsha-256=:([A-Za-z0-9+/=]+):/.exec(header ?? '')?.[1];
  if (base64 === undefined) return undefined;
  return [...atob(base64)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
