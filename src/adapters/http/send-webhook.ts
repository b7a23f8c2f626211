import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { HttpAnswer, HttpPost, HttpSender } from '../../service/ports-webhook.ts';
import { hostOf } from '../../service/webhooks/check-webhook-url.ts';
import { isPublicAddress } from '../../service/webhooks/public-address.ts';

export interface SendWebhookOptions {
  /** Whether private addresses may be sent to (RETORT_WEBHOOK_PRIVATE). */
  readonly allowPrivate: boolean;
  /** For the whole exchange: name, connection, request, response. Default 15 s. */
  readonly timeoutMs?: number;
}

interface Address {
  readonly address: string;
  readonly family: number;
}

const TIMEOUT_MS = 15_000;
/** Of a response so much is read, so that the receiver can finish writing; nobody looks at it. */
const MAX_RESPONSE_BYTES = 4096;

/**
 * Sends webhooks over HTTP. A name is resolved once, its addresses are checked, and the connection goes to those and no
 * others: a name that changes its mind in between (DNS rebinding) gains nothing.
 */
export class SendWebhook implements HttpSender {
  readonly #allowPrivate: boolean;
  readonly #timeoutMs: number;

  constructor({ allowPrivate, timeoutMs = TIMEOUT_MS }: SendWebhookOptions) {
    this.#allowPrivate = allowPrivate;
    this.#timeoutMs = timeoutMs;
  }

  async post(post: HttpPost): Promise<HttpAnswer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const url = new URL(post.url);
      if (url.username !== '' || url.password !== '') return failed('the URL holds credentials');
      const addresses = await beforeAbort(resolve(hostOf(url)), signal);
      // All of them: one private address among public ones is an attack or a mistake.
      if (!this.#allowPrivate && !addresses.every(({ address }) => isPublicAddress(address))) {
        return failed('the host resolves to a private address');
      }
      return { status: await exchange(url, addresses, post, signal), error: null };
    } catch (error) {
      return failed(signal.aborted ? `no answer within ${this.#timeoutMs / 1000} s` : reason(error));
    }
  }
}

async function resolve(host: string): Promise<readonly Address[]> {
  const family = isIP(host);
  return family === 0 ? lookup(host, { all: true }) : [{ address: host, family }];
}

/** The status of the response. */
function exchange(
  url: URL,
  addresses: readonly Address[],
  { headers, body }: HttpPost,
  signal: AbortSignal,
): Promise<number> {
  const pinned: LookupFunction = (_host, options, done) => {
    if (options.all) done(null, [...addresses]);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      // A connection of its own: a kept one might lead to an address that was checked long ago.
      agent: false,
      lookup: pinned,
      signal,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    // Once the status is known it is the answer, however the rest of the response ends.
    let status: number | undefined;
    const end = (error: Error): void => (status === undefined ? reject(error) : resolve(status));
    request.on('error', end);
    request.on('close', () => end(new Error('the connection ended without an answer')));
    request.on('response', (response) => {
      status = response.statusCode;
      drain(response);
    });
    request.end(body);
  });
}

function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > MAX_RESPONSE_BYTES) response.destroy();
  });
  // The request is told as well.
  response.on('error', () => {});
}

/** `promise`, or the signal's reason when that comes first: a look-up cannot be cancelled, but left. */
function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** Short, and without what only the inside of the service should know. */
function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? 'unknown';
}

const failed = (error: string): HttpAnswer => ({ status: null, error });
