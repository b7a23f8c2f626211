import type { Clock, JobStore, StoredRecord } from '../../pipeline/ports.ts';
import type { HttpSender } from '../ports-webhook.ts';
import { unlessConflict } from '../unless-conflict.ts';
import { updateRecord } from '../update-record.ts';
import {
  afterAttempt,
  type DeliveryAttempt,
  type DeliveryRecord,
  type DueMarker,
  deliveryKey,
  deliveryOf,
  recordOfDelivery,
  succeeded,
} from './delivery.ts';
import { signedHeaders } from './sign.ts';
import { type Webhook, webhookKey } from './webhook.ts';

export interface DelivererTools {
  readonly jobs: JobStore;
  readonly sender: HttpSender;
  readonly clock: Clock;
  /** `retort/<version>`. */
  readonly userAgent: string;
  /** Told of errors of the store; the delivery stays due. */
  readonly onTrouble: (error: unknown) => void;
  /** Chance in [0, 1) for the jitter. Default Math.random. */
  readonly random?: () => number;
}

/** Longer than any sending takes (15 s): then whoever claimed a delivery has died. */
const CLAIM_MS = 30_000;
/** A marker whose delivery is not there after so long belongs to a process that died between the two. */
const ORPHAN_MS = 3_600_000;
/** Webhooks that are sent to at the same time. */
const MAX_PARALLEL = 16;
/** Deliveries to one webhook before it is another's turn. */
const MAX_PER_TURN = 20;

/**
 * Sends what is due. Any number of processes may do it: a delivery is claimed by compare-and-set, so each attempt is
 * made by one of them. A process that dies while sending leaves a claim that runs out, and the message is sent again:
 * at least once, under the same `webhook-id`.
 */
export class Deliverer {
  readonly #tools: DelivererTools;
  /** Webhooks this process is sending to: one that hangs holds up nobody else, however often `tick` is called. */
  readonly #busy = new Map<string, Promise<void>>();
  /** When each webhook with something due had its last turn. */
  readonly #turns = new Map<string, number>();
  #looking = false;
  #ending = false;

  constructor(tools: DelivererTools) {
    this.#tools = tools;
  }

  /**
   * Makes the attempts that are due; to be called every second or so, also while an earlier call still runs. Never
   * fails: troubles are told.
   */
  async tick(): Promise<void> {
    await this.#tick().catch(this.#tools.onTrouble);
  }

  async #tick(): Promise<void> {
    // Looking may take longer than the time between two ticks; sending may overlap, looks may not pile up.
    if (this.#looking) return;
    this.#looking = true;
    const due = await this.#due().finally(() => {
      this.#looking = false;
    });
    for (const webhook of this.#turns.keys()) if (!due.has(webhook)) this.#turns.delete(webhook);
    // Who waited longest comes first, so that webhooks that hang cannot keep all the turns to themselves.
    const turn = (webhook: string): number => this.#turns.get(webhook) ?? 0;
    const waiting = [...due.keys()].filter((webhook) => !this.#busy.has(webhook));
    const served: Promise<void>[] = [];
    for (const webhook of waiting.sort((a, b) => turn(a) - turn(b))) {
      if (this.#busy.size >= MAX_PARALLEL) break;
      this.#turns.set(webhook, this.#tools.clock.now());
      const serving = this.#serve(due.get(webhook)!)
        .catch(this.#tools.onTrouble)
        .finally(() => this.#busy.delete(webhook));
      this.#busy.set(webhook, serving);
      served.push(serving);
    }
    await Promise.all(served);
  }

  /** Finishes what is being sent at this moment and begins nothing more; for the end of the process. */
  async idle(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#busy.values());
  }

  /** One after another; after a failure the rest waits for the next tick, for the receiver is in trouble. */
  async #serve(markers: readonly StoredRecord[]): Promise<void> {
    for (const marker of markers.slice(0, MAX_PER_TURN)) {
      if (this.#ending || (await this.#deliver(marker)) === 'failed') return;
    }
  }

  /** Markers whose time has come, oldest first, by webhook. */
  async #due(): Promise<ReadonlyMap<string, readonly StoredRecord[]>> {
    const now = this.#tools.clock.now();
    const records = await this.#tools.jobs.list({ prefix: 'due/' });
    const due = new Map<string, StoredRecord[]>();
    for (const record of records.toSorted((a, b) => markerOf(a).at - markerOf(b).at)) {
      const { webhook, at } = markerOf(record);
      if (at > now) continue;
      const markers = due.get(webhook);
      if (markers) markers.push(record);
      else due.set(webhook, [record]);
    }
    return due;
  }

  async #deliver(marker: StoredRecord): Promise<'failed' | undefined> {
    const { jobs, clock, random = Math.random } = this.#tools;
    const now = clock.now();
    const { webhook: id, delivery, round, at } = markerOf(marker);
    const found = await jobs.get(deliveryKey(id, delivery));
    const current = found && deliveryOf(found);
    if (!found || !current || current.round < round) {
      if (now - at > ORPHAN_MS) await jobs.delete(marker.id);
      return undefined;
    }
    if (current.round > round || current.nextAttemptAt === null) {
      await jobs.delete(marker.id);
      return undefined;
    }
    if (current.nextAttemptAt > now) {
      await this.#remark(marker, current);
      return undefined;
    }
    if (current.claimedUntil > now) return undefined;
    const webhook = (await jobs.get(webhookKey(current.owner, id)))?.value as Webhook | undefined;
    if (!webhook) {
      await jobs.delete(found.id);
      await jobs.delete(marker.id);
      return undefined;
    }
    const claim = recordOfDelivery({ ...current, claimedUntil: now + CLAIM_MS }, found.revision);
    if (!(await jobs.put(claim).catch(unlessConflict))) return undefined;
    const attempt = await this.#send(current, webhook);
    const written = await updateRecord(jobs, found.id, (record) =>
      recordOfDelivery(afterAttempt(deliveryOf(record), attempt, random()), record.revision),
    );
    if (written && deliveryOf(written).round === round) await this.#remark(marker, deliveryOf(written));
    return succeeded(attempt) ? undefined : 'failed';
  }

  async #send({ id, body }: DeliveryRecord, { url, secret }: Webhook): Promise<DeliveryAttempt> {
    const { clock, sender, userAgent } = this.#tools;
    const at = clock.now();
    const started = clock.precise();
    const { status, error } = await sender.post({
      url,
      body,
      headers: {
        ...signedHeaders(id, at, body, secret),
        'content-type': 'application/json',
        'user-agent': userAgent,
      },
    });
    return { at, status, error, milliseconds: Math.round(clock.precise() - started) };
  }

  /** Sets the marker to the delivery's next attempt, or removes it. One changed meanwhile is left as it is. */
  async #remark(marker: StoredRecord, { nextAttemptAt }: DeliveryRecord): Promise<void> {
    const { jobs } = this.#tools;
    if (nextAttemptAt === null) return jobs.delete(marker.id);
    const value: DueMarker = { ...markerOf(marker), at: nextAttemptAt };
    await jobs.put({ ...marker, value }).catch(unlessConflict);
  }
}

const markerOf = (record: StoredRecord): DueMarker => record.value as DueMarker;
