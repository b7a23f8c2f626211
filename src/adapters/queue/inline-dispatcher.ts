import type { Dispatch, Dispatcher, WorkerPresence } from '../../service/ports.ts';

type Entry = Pick<Dispatch, 'id' | 'dispatch'>;
const nameOf = ({ id, dispatch }: Entry): string => `${id}.${dispatch}`;

/** A queue in this process, for tests and tools: entries wait until someone takes them. */
export class InlineDispatcher implements Dispatcher {
  readonly #waiting = new Map<string, Dispatch>();
  readonly #active = new Set<string>();

  async add(dispatch: Dispatch): Promise<void> {
    const name = nameOf(dispatch);
    if (!this.#active.has(name)) this.#waiting.set(name, dispatch);
  }

  async where(entry: Entry): Promise<'cpu' | 'cuda' | undefined> {
    return this.#waiting.has(nameOf(entry)) || this.#active.has(nameOf(entry)) ? 'cpu' : undefined;
  }

  async remove(entry: Entry): Promise<void> {
    this.#waiting.delete(nameOf(entry));
  }

  async counts(): Promise<{ readonly waiting: number; readonly active: number }> {
    return { waiting: this.#waiting.size, active: this.#active.size };
  }

  async workers(): Promise<readonly WorkerPresence[]> {
    return [];
  }

  async close(): Promise<void> {}

  /** Works on the oldest entry, if there is one. */
  async take(handle: (dispatch: Dispatch) => Promise<void>): Promise<boolean> {
    const [next] = this.#waiting;
    if (!next) return false;
    const [name, dispatch] = next;
    this.#waiting.delete(name);
    this.#active.add(name);
    try {
      await handle(dispatch);
    } finally {
      this.#active.delete(name);
    }
    return true;
  }
}
