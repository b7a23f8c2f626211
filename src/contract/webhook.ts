import Type, { type Static } from 'typebox';
import { closed, Nullable, pageOf, Timestamp } from './shared.ts';

/** Events a webhook can be told of: the state a job has reached. */
export const WebhookEvent = Type.Enum([
  'distillation.running',
  'distillation.paused',
  'distillation.succeeded',
  'distillation.failed',
  'distillation.cancelled',
]);

export const CreateWebhook = Type.Object(
  {
    url: Type.String({ format: 'uri', maxLength: 2000 }),
    events: Type.Optional(Type.Array(WebhookEvent, { minItems: 1, uniqueItems: true })),
  },
  closed,
);

/** Signed by Standard Webhooks; `secret` is shown once, when it is made. */
export const Webhook = Type.Object(
  {
    id: Type.String(),
    url: Type.String(),
    events: Type.Array(WebhookEvent),
    createdAt: Timestamp,
    secret: Type.Optional(Type.String()),
  },
  closed,
);

export const Delivery = Type.Object(
  {
    id: Type.String(),
    webhook: Type.String(),
    event: WebhookEvent,
    distillation: Type.String(),
    createdAt: Timestamp,
    state: Type.Enum(['pending', 'delivered', 'given-up']),
    attempts: Type.Array(
      Type.Object(
        {
          at: Timestamp,
          status: Nullable(Type.Integer()),
          error: Nullable(Type.String()),
          milliseconds: Type.Number(),
        },
        closed,
      ),
    ),
    nextAttemptAt: Nullable(Timestamp),
  },
  closed,
);

export const DeliveryPage = pageOf(Delivery);
export const WebhookPage = pageOf(Webhook);

export type CreateWebhook = Static<typeof CreateWebhook>;
export type Webhook = Static<typeof Webhook>;
export type WebhookEvent = Static<typeof WebhookEvent>;
export type Delivery = Static<typeof Delivery>;
