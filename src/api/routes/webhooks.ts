import Type from 'typebox';
import { PageQuery } from '../../contract/shared.ts';
import { CreateWebhook, Delivery, DeliveryPage, Webhook, WebhookPage } from '../../contract/webhook.ts';
import type { Api } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { deliveryView, webhookView } from '../views/webhook.ts';

const tags = ['webhooks'];
const Params = Type.Object({ id: Type.String({ pattern: '^wh_[0-9A-Z]{26}$' }) });
const DeliveryParams = Type.Object({
  ...Params.properties,
  delivery: Type.String({ pattern: '^[0-9A-Z]{26}$' }),
});

/** Who is told when a job reaches a state; see docs/webhooks.md. */
export function webhookRoutes(app: Api, { webhooks }: ApiContext): void {
  app.post(
    '/v1/webhooks',
    {
      schema: {
        tags,
        summary: 'Be told when distillations reach a state',
        description: 'The answer holds the secret that signs the messages; it is shown this once.',
        body: CreateWebhook,
        response: { 201: Webhook },
      },
    },
    async ({ principal, body }, reply) => {
      const webhook = await webhooks.create(principal.id, body);
      return reply.code(201).send({ ...webhookView(webhook), secret: webhook.secret });
    },
  );

  app.get(
    '/v1/webhooks',
    { schema: { tags, summary: 'Your webhooks', response: { 200: WebhookPage } } },
    async ({ principal }) => ({
      items: (await webhooks.list(principal.id)).map(webhookView),
      next: null,
    }),
  );

  app.delete(
    '/v1/webhooks/:id',
    {
      schema: {
        tags,
        summary: 'Delete a webhook and its deliveries',
        params: Params,
        response: { 204: Type.Null() },
      },
    },
    async ({ principal, params }, reply) => {
      await webhooks.delete(principal.id, params.id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      schema: {
        tags,
        summary: 'Messages to a webhook with every attempt, newest first',
        params: Params,
        querystring: PageQuery,
        response: { 200: DeliveryPage },
      },
    },
    async ({ principal, params, query: { limit = 20, before } }) => {
      const page = { limit, ...(before === undefined ? {} : { before }) };
      const items = await webhooks.deliveries(principal.id, params.id, page);
      return { items: items.map(deliveryView), next: items.length < limit ? null : items.at(-1)!.id };
    },
  );

  app.post(
    '/v1/webhooks/:id/deliveries/:delivery/redeliver',
    {
      schema: {
        tags,
        summary: 'Send a message again now',
        params: DeliveryParams,
        response: { 202: Delivery },
      },
    },
    async ({ principal, params }, reply) => {
      const delivery = await webhooks.redeliver(principal.id, params.id, params.delivery);
      return reply.code(202).send(deliveryView(delivery));
    },
  );
}
