import type { Cancellable } from './distillations.ts';
import { pages } from './pages.ts';
import type { Call, Transport } from './transport.ts';

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** What models and datasets have in common: files that are kept, with a card. */
export class FileCards<T> {
  protected readonly transport: Transport;
  protected readonly path: string;

  constructor(transport: Transport, path: string) {
    this.transport = transport;
    this.path = path;
  }

  get(id: string, { signal }: Cancellable = {}): Promise<T> {
    return this.transport.json({ path: this.#pathOf(id), signal });
  }

  /** Newest first. */
  list({ signal }: Cancellable = {}): AsyncGenerator<T, void> {
    return pages((before) => this.transport.json<Page<T>>({ path: this.path, query: { before }, signal }));
  }

  delete(id: string, { signal }: Cancellable = {}): Promise<void> {
    return this.transport.done({ method: 'DELETE', path: this.#pathOf(id), signal });
  }

  protected post(call: Pick<Call, 'body' | 'headers' | 'json' | 'signal'>): Promise<T> {
    return this.transport.json({ ...call, method: 'POST', path: this.path });
  }

  #pathOf(id: string): string {
    return `${this.path}/${encodeURIComponent(id)}`;
  }
}
