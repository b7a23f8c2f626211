import { ulid } from 'ulid';
import { RetortError } from '../../errors.ts';
import type { Clock, JobStore } from '../../pipeline/ports.ts';
import { unlessConflict } from '../unless-conflict.ts';
import { updateRecord } from '../update-record.ts';
import { checkWebhookUrl } from './check-webhook-url.ts';
import {
  type Delivery,
  type DeliveryRecord,
  type DueMarker,
  deliveryKey,
  deliveryOf,
  dueKey,
  recordOfDelivery,
} from './delivery.ts';
import { deliveryIdOf, type Happening } from './happening.ts';
import { newWebhookSecret } from './sign.ts';
import { type Webhook, type WebhookEvent, webhookEvents, webhookKey } from './webhook.ts';

export interface WebhooksTools {
  readonly jobs: JobStore;
  readonly clock: Clock;
  /** Whether private addresses are allowed (RETORT_WEBHOOK_PRIVATE). */
  readonly allowPrivate: boolean;
}

/** Every event of an owner is written once per webhook and sent to each; more would make the service an amplifier. */
const MAX_WEBHOOKS = 20;

/** What users do with webhooks, and where events come in. Sending is the Deliverer's. */
export class Webhooks {
  readonly #tools: WebhooksTools;

  constructor(tools: WebhooksTools) {
    this.#tools = tools;
  }

  async create(
    owner: string,
    { url, events = webhookEvents }: { readonly url: string; readonly events?: readonly WebhookEvent[] },
  ): Promise<Webhook> {
    const { jobs, clock, allowPrivate } = this.#tools;
    const checked = checkWebhookUrl(url, allowPrivate);
    if ((await this.list(owner)).length >= MAX_WEBHOOKS) {
      throw new RetortError('RATE_LIMITED', `this key has ${MAX_WEBHOOKS} webhooks, the most there may be`, {
        hint: 'Delete one that is no longer used.',
      });
    }
    const id = `wh_${ulid(clock.now())}`;
    const webhook: Webhook = {
      id,
      owner,
      url: checked,
      events: [...events],
      createdAt: clock.now(),
      secret: newWebhookSecret(),
    };
    await jobs.put({ id: webhookKey(owner, id), revision: 0, state: 'active', value: webhook });
    return webhook;
  }

  /** Oldest first. */
  async list(owner: string): Promise<readonly Webhook[]> {
    const records = await this.#tools.jobs.list({ prefix: webhookKey(owner, '') });
    return records.map(({ value }) => value as Webhook);
  }

  async get(owner: string, id: string): Promise<Webhook> {
    const record = await this.#tools.jobs.get(webhookKey(owner, id));
    if (!record) throw new RetortError('NOT_FOUND', `there is no webhook ${id}`);
    return record.value as Webhook;
  }

  /** Deletes a webhook with its deliveries; one that is being sent right now still arrives. */
  async delete(owner: string, id: string): Promise<void> {
    const { jobs } = this.#tools;
    await this.get(owner, id);
    // The webhook first: should this process die here, nothing is sent any more, and retention removes the rest.
    await jobs.delete(webhookKey(owner, id));
    for (const record of await jobs.list({ prefix: deliveryKey(id, '') })) {
      await jobs.delete(record.id);
      const delivery = record.value as Delivery;
      await jobs.delete(dueKey(delivery.id, delivery.round));
    }
  }

  /** Newest first; `before` is the id of the last one of the page before. */
  async deliveries(
    owner: string,
    id: string,
    page: { readonly limit: number; readonly before?: string },
  ): Promise<readonly DeliveryRecord[]> {
    await this.get(owner, id);
    const records = await this.#tools.jobs.list({
      prefix: deliveryKey(id, ''),
      limit: page.limit,
      ...(page.before === undefined ? {} : { before: deliveryKey(id, page.before) }),
    });
    return records.map(deliveryOf);
  }

  /** Writes one delivery for each webhook that wants the event. Telling the same happening again changes nothing. */
  async enqueue(owner: string, event: WebhookEvent, happening: Happening): Promise<void> {
    for (const webhook of await this.list(owner)) {
      if (webhook.events.includes(event)) await this.#enqueue(webhook, event, happening);
    }
  }

  /** Has a delivery made again now, whatever became of it. */
  async redeliver(owner: string, webhook: string, id: string): Promise<DeliveryRecord> {
    const { jobs, clock } = this.#tools;
    await this.get(owner, webhook);
    const found = await jobs.get(deliveryKey(webhook, id));
    if (!found) throw noDelivery(webhook, id);
    const now = clock.now();
    const { round } = found.value as Delivery;
    await this.#mark({ webhook, delivery: id, round: round + 1, at: now });
    const written = await updateRecord(jobs, found.id, (record) => {
      const before = deliveryOf(record);
      // Somebody else has just asked for the same.
      if (before.round !== round) return record;
      const again = { round: round + 1, tries: 0, nextAttemptAt: now };
      return recordOfDelivery({ ...before, ...again, state: 'pending' }, record.revision);
    });
    if (!written) throw noDelivery(webhook, id);
    return deliveryOf(written);
  }

  async #enqueue(webhook: Webhook, event: WebhookEvent, happening: Happening): Promise<void> {
    const { jobs, clock } = this.#tools;
    const id = deliveryIdOf(webhook.id, event, happening);
    if (await jobs.get(deliveryKey(webhook.id, id))) return;
    const now = clock.now();
    const { job, at, data } = happening;
    const delivery: DeliveryRecord = {
      id,
      webhook: webhook.id,
      owner: webhook.owner,
      event,
      job,
      createdAt: now,
      body: JSON.stringify({ type: event, timestamp: new Date(at).toISOString(), data }),
      state: 'pending',
      attempts: [],
      round: 1,
      tries: 0,
      nextAttemptAt: now,
      claimedUntil: 0,
    };
    await this.#mark({ webhook: webhook.id, delivery: id, round: 1, at: now });
    await jobs.put(recordOfDelivery(delivery, 0)).catch(unlessConflict);
  }

  /** The marker goes before what it marks: without it nobody would look. */
  async #mark(marker: DueMarker): Promise<void> {
    const id = dueKey(marker.delivery, marker.round);
    await this.#tools.jobs.put({ id, revision: 0, state: 'due', value: marker }).catch(unlessConflict);
  }
}

function noDelivery(webhook: string, id: string): RetortError {
  return new RetortError('NOT_FOUND', `there is no delivery ${id} of the webhook ${webhook}`);
}
