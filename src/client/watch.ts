import type { Distillation, Event, EventPage } from '../contract/distillation.ts';
import { readEvents } from './read-events.ts';
import { RetortApiError } from './retort-api-error.ts';
import { backoff } from './retry-delay.ts';
import { sleep } from './sleep.ts';
import { type SseMessage, SseParser } from './sse.ts';

export type Progress = NonNullable<Distillation['progress']>;

/** A durable event, each exactly once and in order; or how far the running stage is, which may be missed. */
export type WatchItem =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'progress'; readonly progress: Progress };

/** What watching one job asks of the service. None of it is repeated after a failure: that is decided here. */
export interface WatchSource {
  /** Undefined: there is no event stream to be had here. */
  stream(after: number, signal: AbortSignal | undefined): Promise<ReadableStream<Uint8Array> | undefined>;
  page(after: number, signal: AbortSignal | undefined): Promise<EventPage>;
  progress(signal: AbortSignal | undefined): Promise<Progress | null>;
}

export interface WatchOptions {
  /** Id of the last event that is known already; default 0, from the beginning. */
  readonly after?: number;
  readonly signal?: AbortSignal | undefined;
  /** Silence after which a stream is given up, milliseconds. */
  readonly idleMs?: number;
  /** Time between two looks where there is no stream, milliseconds. */
  readonly pollMs?: number;
  /** Time without any answer after which the failure is thrown, milliseconds. */
  readonly giveUpMs?: number;
}

/** Streams in a row that gave nothing, after which pages are read instead. */
const DEAD_STREAMS = 2;
/** Looks at pages after which a stream is tried once more. */
const POLLS = 15;

/** What happens to a job, to its end. Ends after the event of the terminal state, whatever breaks in between. */
export class Watch {
  readonly #source: WatchSource;
  readonly #signal: AbortSignal | undefined;
  readonly #idleMs: number;
  readonly #pollMs: number;
  readonly #giveUpMs: number;
  #last: number;
  #answeredAt = 0;
  #ended = false;
  #deadStreams = 0;
  #polls = 0;
  /** Milliseconds the server wants between two connections. */
  #pauseMs = 1000;

  constructor(source: WatchSource, options: WatchOptions = {}) {
    this.#source = source;
    this.#signal = options.signal;
    this.#idleMs = options.idleMs ?? 60_000;
    this.#pollMs = options.pollMs ?? 2000;
    this.#giveUpMs = options.giveUpMs ?? 600_000;
    this.#last = options.after ?? 0;
  }

  async *items(): AsyncGenerator<WatchItem, void> {
    this.#answeredAt = Date.now();
    let failures = 0;
    while (!this.#ended) {
      const polling = this.#deadStreams >= DEAD_STREAMS;
      try {
        for await (const item of polling ? this.#poll() : this.#stream()) {
          this.#answeredAt = Date.now();
          yield item;
        }
        this.#answeredAt = Date.now();
        failures = 0;
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof RetortApiError && !error.retryable) throw error;
        if (Date.now() - this.#answeredAt > this.#giveUpMs) throw error;
        // A stream that gave something and broke is no outage: it is taken up again as one that ended.
        const alive = this.#deadStreams === 0;
        failures = alive ? 0 : failures + 1;
        if (alive) await this.#pause();
        else await sleep(Math.max(backoff(failures - 1), retryAfterOf(error)), this.#signal);
        // Nothing answers, so it was not the stream's fault.
        if (polling) this.#deadStreams = 0;
      }
    }
  }

  async *#stream(): AsyncGenerator<WatchItem, void> {
    const parser = new SseParser();
    this.#deadStreams++;
    const stream = await this.#source.stream(this.#last, this.#signal);
    if (!stream) {
      this.#deadStreams = DEAD_STREAMS;
      return;
    }
    try {
      for await (const message of readEvents(stream, parser, this.#idleMs)) {
        yield* this.#take(message);
        if (this.#ended) return;
      }
    } finally {
      if (parser.bytes > 0) {
        this.#deadStreams = 0;
        this.#answeredAt = Date.now();
      }
      this.#pauseMs = parser.retry ?? this.#pauseMs;
    }
    await this.#pause();
  }

  /** As the server has asked; the random part keeps the clients of a server that restarts apart. */
  #pause(): Promise<void> {
    return sleep(this.#pauseMs * (0.75 + Math.random() / 2), this.#signal);
  }

  async *#take({ event, data, id }: SseMessage): AsyncGenerator<WatchItem, void> {
    if (id !== undefined) {
      const durable = parse<Event>(data);
      // Ids are without gaps, so one that is too large tells of events that were lost on the way.
      if (durable.id > this.#last + 1) yield* this.#catchUp();
      yield* this.#give([durable]);
    } else if (event === 'progress') {
      yield { kind: 'progress', progress: parse<Progress>(data) };
    } else if (event === 'end') {
      yield* this.#catchUp();
      this.#ended = true;
    }
  }

  /** Every event that is there already. */
  async *#catchUp(): AsyncGenerator<WatchItem, void> {
    for (let more = true; more && !this.#ended; ) {
      const { items, open } = await this.#source.page(this.#last, this.#signal);
      yield* this.#give(items);
      more = items.length > 0;
      if (!more && !open) this.#ended = true;
    }
  }

  async *#poll(): AsyncGenerator<WatchItem, void> {
    yield* this.#catchUp();
    if (this.#ended) return;
    const progress = await this.#source.progress(this.#signal);
    if (progress) yield { kind: 'progress', progress };
    if (++this.#polls % POLLS === 0) this.#deadStreams = DEAD_STREAMS - 1;
    await sleep(this.#pollMs, this.#signal);
  }

  *#give(events: readonly Event[]): Generator<WatchItem, void> {
    for (const event of events) {
      if (event.id <= this.#last || this.#ended) continue;
      this.#last = event.id;
      // Set first: the reader may leave with this very item.
      this.#ended = isTerminalEvent(event);
      yield { kind: 'event', event };
    }
  }
}

const retryAfterOf = (error: unknown): number =>
  error instanceof RetortApiError ? (error.retryAfter ?? 0) : 0;

function parse<T>(data: string): T {
  try {
    return JSON.parse(data) as T;
  } catch (cause) {
    const hint = 'It is no stream of Retort, or one of another version.';
    const message = 'a message of the event stream is not JSON';
    throw new RetortApiError(message, { code: 'INTERNAL', status: 200, retryable: false, hint, cause });
  }
}

/** States a job never leaves. */
export const isTerminalState = (state: unknown): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled';

const isTerminalEvent = ({ type, data }: Event): boolean =>
  type === 'state' && isTerminalState((data as { readonly state?: unknown } | null)?.state);
