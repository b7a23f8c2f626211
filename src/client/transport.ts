import { RetortApiError } from './retort-api-error.ts';
import { retryDelay } from './retry-delay.ts';
import { sleep } from './sleep.ts';

export interface ClientOptions {
  /** Where the service is; may have a path of its own. */
  readonly url: string | URL;
  /** API key; none where the service asks for none. */
  readonly token?: string | undefined;
  readonly fetch?: typeof globalThis.fetch;
}

export type Body = NonNullable<RequestInit['body']>;

export interface Call {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';
  /** From the root of the service, ids encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Sent as the body. */
  readonly json?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may go out twice; default: all but POST and PATCH. */
  readonly idempotent?: boolean;
  /** Repetitions after a passing failure; default 4. */
  readonly retries?: number;
}

const RETRIES = 4;

/** Requests to one service: its URL, its key, and when to ask again. */
export class Transport {
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor({ url, token, fetch }: ClientOptions) {
    this.#url = new URL(url);
    if (!this.#url.pathname.endsWith('/')) this.#url.pathname += '/';
    this.#token = token;
    // Browsers refuse a fetch that is called as a method of something else.
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** The answer, where it is one of success; throws RetortApiError for every other. */
  async send(call: Call): Promise<Response> {
    const { method = 'GET', signal, retries = RETRIES } = call;
    const idempotent = call.idempotent ?? (method !== 'POST' && method !== 'PATCH');
    for (let tries = 0; ; tries++) {
      const answer = await this.#once(call, method);
      if (!(answer instanceof RetortApiError)) return answer;
      const delay = idempotent && tries < retries ? retryDelay(answer, tries) : undefined;
      if (delay === undefined) throw answer;
      await sleep(delay, signal);
    }
  }

  async json<T>(call: Call): Promise<T> {
    const response = await this.send({ ...call, headers: { accept: 'application/json', ...call.headers } });
    return (await response.json()) as T;
  }

  /** Where the answer holds nothing to read. */
  async done(call: Call): Promise<void> {
    const response = await this.send(call);
    await response.body?.cancel();
  }

  async #once({ path, query, headers, body, json, signal }: Call, method: string) {
    const url = new URL(path.replace(/^\//, ''), this.#url);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const payload = json === undefined ? body : JSON.stringify(json);
    try {
      const response = await this.#fetch(url, {
        method,
        headers: {
          ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(payload === undefined ? {} : { body: payload }),
        // Without these two, fetch of Node keeps every byte it has sent, for a redirect that might come.
        ...(payload === undefined ? {} : { redirect: 'error', window: null }),
        // A body that is a stream is sent before the answer is read; fetch wants to hear that we know.
        ...(payload instanceof ReadableStream ? { duplex: 'half' } : {}),
        ...(signal ? { signal } : {}),
      });
      return response.ok ? response : await RetortApiError.of(response);
    } catch (error) {
      signal?.throwIfAborted();
      return RetortApiError.unreachable(url, error);
    }
  }
}
