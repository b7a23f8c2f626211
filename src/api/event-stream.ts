import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { ApiContext } from './context.ts';
import { whenClosed } from './when-closed.ts';

export interface StreamEvent {
  readonly id?: number;
  readonly event?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** How long a client waits before it connects again, milliseconds. */
const RETRY = 2_000;
/** How long the last bytes may take to leave, milliseconds. */
const GOODBYE = 1_000;

/**
 * Server-Sent Events over the raw response. It writes, keeps the connection alive, waits for slow clients and ends with
 * the client or the server; what to send, and what to send again, is its caller's business.
 */
export class EventStream {
  readonly #raw: ServerResponse;
  readonly #stalled: number;
  readonly #ended = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(raw: ServerResponse, times: ApiContext['times']) {
    this.#raw = raw;
    this.#stalled = times.stalled;
    this.#heartbeat = setInterval(() => this.#beat(), times.heartbeat);
    const ended = () => {
      clearInterval(this.#heartbeat);
      this.#ended.abort();
    };
    whenClosed(raw, ended);
  }

  /** Takes the response over: nothing else may be sent by it. */
  static open(reply: FastifyReply, { times, streams }: Pick<ApiContext, 'times' | 'streams'>): EventStream {
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      // Proxies that collect responses would hold events back.
      'x-accel-buffering': 'no',
    });
    reply.raw.write(`retry: ${RETRY}\n\n`);
    const stream = new EventStream(reply.raw, times);
    if (!stream.signal.aborted) {
      streams.add(stream);
      stream.signal.addEventListener('abort', () => streams.delete(stream), { once: true });
    }
    return stream;
  }

  /** Aborted when the client has gone or the server stops. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Resolves when more can be sent; false when nobody listens any more. */
  async send({ id, event, data }: StreamEvent): Promise<boolean> {
    if (this.signal.aborted) return false;
    const lines = [
      ...(id === undefined ? [] : [`id: ${id}`]),
      ...(event === undefined ? [] : [`event: ${event}`]),
      `data: ${JSON.stringify(data)}`,
    ];
    if (!this.#raw.write(`${lines.join('\n')}\n\n`)) await this.#drained();
    return !this.signal.aborted;
  }

  end(): void {
    clearInterval(this.#heartbeat);
    this.#ended.abort();
    this.#raw.end();
    // What a client does not fetch now it gets when it connects again.
    setTimeout(() => this.#raw.destroy(), GOODBYE).unref();
  }

  #beat(): void {
    // A client that does not read needs no sign of life, and would make the buffer grow.
    if (!this.#raw.writableNeedDrain) this.#raw.write(': still here\n\n');
  }

  async #drained(): Promise<void> {
    const patience = AbortSignal.timeout(this.#stalled);
    await once(this.#raw, 'drain', { signal: AbortSignal.any([this.signal, patience]) }).catch(() => {
      if (patience.aborted) this.#raw.destroy();
    });
  }
}
