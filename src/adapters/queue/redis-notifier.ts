import type { Redis } from 'ioredis';
import type { Notifier } from '../../service/ports.ts';
import { producerConnection, workerConnection } from './connection.ts';
import { channelName } from './queue-names.ts';

const topics = ['changed', 'control'] as const;
type Topic = (typeof topics)[number];

/** Wakes readers over Redis pub/sub. What cannot be sent is dropped: readers look for themselves now and then. */
export class RedisNotifier implements Notifier {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #listeners = new Map<string, Set<(id: string) => void>>();

  constructor(url: string) {
    this.#publisher = producerConnection(url);
    this.#subscriber = workerConnection(url);
    // Subscriptions are made again by ioredis after every reconnect.
    void this.#subscriber.subscribe(...topics.map(channelName)).catch(() => {});
    this.#subscriber.on('message', (channel: string, id: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(id);
    });
  }

  async publish(topic: Topic, id: string): Promise<void> {
    await this.#publisher.publish(channelName(topic), id).catch(() => {});
  }

  subscribe(topic: Topic, listener: (id: string) => void): () => void {
    const channel = channelName(topic);
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }
}
