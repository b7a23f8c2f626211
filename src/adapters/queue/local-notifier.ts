import type { Notifier } from '../../service/ports.ts';

type Topic = 'changed' | 'control';

/** Wakes readers of this process. */
export class LocalNotifier implements Notifier {
  readonly #listeners: Record<Topic, Set<(id: string) => void>> = { changed: new Set(), control: new Set() };

  async publish(topic: Topic, id: string): Promise<void> {
    for (const listener of this.#listeners[topic]) listener(id);
  }

  subscribe(topic: Topic, listener: (id: string) => void): () => void {
    this.#listeners[topic].add(listener);
    return () => this.#listeners[topic].delete(listener);
  }

  async close(): Promise<void> {}
}
