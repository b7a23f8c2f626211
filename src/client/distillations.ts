import type {
  Artifact,
  ArtifactList,
  Distillation,
  DistillationPage,
  EventPage,
} from '../contract/distillation.ts';
import type { Report } from '../pipeline/report/report.ts';
import { type DistillationInput, distillationRequest } from './distillation-request.ts';
import { Download, type DownloadOptions } from './download.ts';
import { pages } from './pages.ts';
import { randomName } from './random-name.ts';
import { RetortApiError } from './retort-api-error.ts';
import type { Call, Transport } from './transport.ts';
import type { Uploads } from './uploads.ts';
import { isTerminalState, Watch, type WatchItem, type WatchOptions } from './watch.ts';

export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

export interface CreateOptions extends Cancellable {
  /** Requests with the same key make one job between them; default: a new one for each call. */
  readonly idempotencyKey?: string;
}

export interface ListOptions extends Cancellable {
  readonly state?: Distillation['state'];
  /** `name=value`. */
  readonly label?: string;
  /** Items a request fetches, 1 to 100. */
  readonly pageSize?: number;
}

export type MetricSeries = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** /v1/distillations. */
export class Distillations {
  readonly #transport: Transport;
  readonly #uploads: Uploads;

  constructor(transport: Transport, uploads: Uploads) {
    this.#transport = transport;
    this.#uploads = uploads;
  }

  /** Makes a job. It is kept once this resolves; it runs when a worker has room. */
  async create(input: DistillationInput & CreateOptions): Promise<Distillation> {
    const { idempotencyKey = randomName(), signal } = input;
    const { call, repeatable } = await distillationRequest(input, this.#uploads, signal);
    return this.#transport.json({
      ...call,
      method: 'POST',
      path: 'v1/distillations',
      headers: { ...call.headers, 'idempotency-key': idempotencyKey },
      idempotent: repeatable,
      signal,
    });
  }

  get(id: string, { signal }: Cancellable = {}): Promise<Distillation> {
    return this.#transport.json({ path: pathOf(id), signal });
  }

  /** Every job, newest first. */
  list({ state, label, pageSize, signal }: ListOptions = {}): AsyncGenerator<Distillation, void> {
    return pages((before) =>
      this.#transport.json<DistillationPage>({
        path: 'v1/distillations',
        query: { state, label, limit: pageSize, before },
        signal,
      }),
    );
  }

  cancel(id: string, options?: Cancellable): Promise<Distillation> {
    return this.#act(id, 'cancel', { idempotent: true, ...options });
  }

  /** Stops at the next checkpoint; `resume` goes on from there. */
  pause(id: string, options?: Cancellable): Promise<Distillation> {
    return this.#act(id, 'pause', { idempotent: true, ...options });
  }

  resume(id: string, options?: Cancellable): Promise<Distillation> {
    return this.#act(id, 'resume', { idempotent: true, ...options });
  }

  /** Makes a new job of one that failed or was cancelled; what is known already is not computed again. */
  retry(id: string, options?: Cancellable): Promise<Distillation> {
    return this.#act(id, 'retry', { ...options });
  }

  /** Removes a finished job and its files. */
  delete(id: string, { signal }: Cancellable = {}): Promise<void> {
    return this.#transport.done({ method: 'DELETE', path: pathOf(id), signal });
  }

  /** One page of events, oldest first. */
  events(
    id: string,
    { after, limit, signal }: Cancellable & { readonly after?: number; readonly limit?: number } = {},
  ): Promise<EventPage> {
    return this.#transport.json({ path: pathOf(id, 'events'), query: { after, limit }, signal });
  }

  /** What happens to a job until it ends, each event once and in order, whatever breaks in between. */
  watch(id: string, options: WatchOptions = {}): AsyncGenerator<WatchItem, void> {
    const path = pathOf(id, 'events');
    // How long to go on without an answer is the watch's to decide, so nothing is repeated below it.
    const once = { retries: 0 };
    return new Watch(
      {
        stream: (after, signal) => this.#stream({ ...once, path, signal }, after),
        page: (after, signal) => this.#transport.json({ ...once, path, query: { after }, signal }),
        progress: async (signal) =>
          (await this.#transport.json<Distillation>({ ...once, path: pathOf(id), signal })).progress,
      },
      options,
    ).items();
  }

  /** The job once it has ended, in whatever way. */
  async wait(id: string, options: WatchOptions = {}): Promise<Distillation> {
    let after = options.after ?? 0;
    for (;;) {
      for await (const item of this.watch(id, { ...options, after })) {
        if (item.kind === 'event') after = item.event.id;
      }
      const job = await this.get(id, options);
      if (isTerminalState(job.state)) return job;
    }
  }

  /** Curves so far: the points of each run (`train`, `control`, trials of auto), oldest first. */
  async metrics(id: string, { signal }: Cancellable = {}): Promise<MetricSeries> {
    const path = pathOf(id, 'metrics');
    return (await this.#transport.json<{ readonly series: MetricSeries }>({ path, signal })).series;
  }

  async artifacts(id: string, { signal }: Cancellable = {}): Promise<readonly Artifact[]> {
    return (await this.#transport.json<ArtifactList>({ path: pathOf(id, 'artifacts'), signal })).items;
  }

  /** The bytes of an artifact; the stream fails unless they are whole and have the right sha256. */
  download(id: string, name: string, options?: DownloadOptions) {
    return Download.start(this.#transport, `${pathOf(id, 'artifacts')}/${encodeURIComponent(name)}`, options);
  }

  report(id: string, { signal }: Cancellable = {}): Promise<Report> {
    return this.#transport.json({ path: pathOf(id, 'report'), signal });
  }

  #act(id: string, verb: string, more: Pick<Call, 'idempotent' | 'signal'>): Promise<Distillation> {
    return this.#transport.json({ ...more, method: 'POST', path: pathOf(id, verb) });
  }

  async #stream(call: Call, after: number): Promise<ReadableStream<Uint8Array> | undefined> {
    const headers = {
      accept: 'text/event-stream',
      ...(after > 0 ? { 'last-event-id': `${after}` } : {}),
    };
    const response = await this.#transport.send({ ...call, headers }).catch((error: unknown) => {
      if (error instanceof RetortApiError && error.status === 406) return undefined;
      throw error;
    });
    const type = response?.headers.get('content-type') ?? '';
    if (response?.body && /^text\/event-stream\b/i.test(type)) return response.body;
    await response?.body?.cancel();
    return undefined;
  }
}

const pathOf = (id: string, sub?: string): string =>
  `v1/distillations/${encodeURIComponent(id)}${sub === undefined ? '' : `/${sub}`}`;
