import type { CreateWebhook, Delivery, Webhook } from '../contract/webhook.ts';
import { pages } from './pages.ts';
import type { Transport } from './transport.ts';

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** /v1/webhooks. */
export class Webhooks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The answer alone holds the secret the deliveries are signed with. */
  create(webhook: CreateWebhook): Promise<Webhook> {
    return this.#transport.json({ method: 'POST', path: 'v1/webhooks', json: webhook });
  }

  list(): AsyncGenerator<Webhook, void> {
    return pages((before) => this.#transport.json<Page<Webhook>>({ path: 'v1/webhooks', query: { before } }));
  }

  delete(id: string): Promise<void> {
    return this.#transport.done({ method: 'DELETE', path: pathOf(id) });
  }

  /** What was sent, newest first. */
  deliveries(id: string): AsyncGenerator<Delivery, void> {
    const path = `${pathOf(id)}/deliveries`;
    return pages((before) => this.#transport.json<Page<Delivery>>({ path, query: { before } }));
  }

  /** Sends a delivery once more. */
  redeliver(id: string, delivery: string): Promise<Delivery> {
    const path = `${pathOf(id)}/deliveries/${encodeURIComponent(delivery)}/redeliver`;
    return this.#transport.json({ method: 'POST', path });
  }
}

const pathOf = (id: string): string => `v1/webhooks/${encodeURIComponent(id)}`;
