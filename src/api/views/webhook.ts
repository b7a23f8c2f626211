import type { Delivery, Webhook } from '../../contract/webhook.ts';
import type { DeliveryRecord } from '../../service/webhooks/delivery.ts';
import type { Webhook as StoredWebhook } from '../../service/webhooks/webhook.ts';

const time = (ms: number): string => new Date(ms).toISOString();

/** A webhook without its secret. */
export const webhookView = ({ id, url, events, createdAt }: StoredWebhook): Webhook => ({
  id,
  url,
  events: [...events],
  createdAt: time(createdAt),
});

export const deliveryView = (delivery: DeliveryRecord): Delivery => ({
  id: delivery.id,
  webhook: delivery.webhook,
  event: delivery.event,
  distillation: delivery.job,
  createdAt: time(delivery.createdAt),
  state: delivery.state,
  attempts: delivery.attempts.map(({ at, status, error, milliseconds }) => ({
    at: time(at),
    status,
    error,
    milliseconds,
  })),
  nextAttemptAt: delivery.nextAttemptAt === null ? null : time(delivery.nextAttemptAt),
});
