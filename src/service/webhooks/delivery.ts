import type { StoredRecord } from '../../pipeline/ports.ts';
import type { HttpAnswer } from '../ports-webhook.ts';
import type { WebhookEvent } from './webhook.ts';

export type DeliveryState = 'pending' | 'delivered' | 'given-up';

/** One message to one webhook: the value of the record `delivery/<webhook>/<id>`. Times are ms since 1970. */
export interface Delivery {
  /** Also the header `webhook-id`: the same in every attempt. */
  readonly id: string;
  readonly webhook: string;
  readonly owner: string;
  readonly event: WebhookEvent;
  /** Id of the job. */
  readonly job: string;
  readonly createdAt: number;
  /** What is sent, byte for byte the same in every attempt. */
  readonly body: string;
  readonly attempts: readonly DeliveryAttempt[];
  /** 1, and one more each time a user has it delivered again; names the marker. */
  readonly round: number;
  /** Attempts made in this round. */
  readonly tries: number;
  /** Null once it is delivered or given up. */
  readonly nextAttemptAt: number | null;
  /** Until then a process is sending it. */
  readonly claimedUntil: number;
}

export interface DeliveryAttempt extends HttpAnswer {
  readonly at: number;
  readonly milliseconds: number;
}

export interface DeliveryRecord extends Delivery {
  readonly state: DeliveryState;
}

/** Value of the marker `due/<delivery>.<round>` of a pending delivery. */
export interface DueMarker {
  readonly webhook: string;
  readonly delivery: string;
  readonly round: number;
  /** Never later than the delivery's own `nextAttemptAt`. */
  readonly at: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits after the first, second, ... attempt; after the last wait and one more attempt it is given up. */
export const schedule: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  HOUR,
  6 * HOUR,
  24 * HOUR,
];
/** Waits vary by this share, so that what failed together is not tried together. */
const JITTER = 0.2;

export const deliveryKey = (webhook: string, id: string): string => `delivery/${webhook}/${id}`;
export const dueKey = (id: string, round: number): string => `due/${id}.${round}`;

export const deliveryOf = ({ state, value }: StoredRecord): DeliveryRecord => ({
  ...(value as Delivery),
  state: state as DeliveryState,
});

export const succeeded = ({ status }: HttpAnswer): boolean =>
  status !== null && status >= 200 && status < 300;

/** The delivery after an attempt. `chance` in [0, 1) chooses the wait within its jitter. */
export function afterAttempt(
  delivery: DeliveryRecord,
  attempt: DeliveryAttempt,
  chance: number,
): DeliveryRecord {
  const attempts = [...delivery.attempts, attempt];
  const tries = delivery.tries + 1;
  const tried = { ...delivery, attempts, tries, claimedUntil: 0 };
  if (succeeded(attempt)) return { ...tried, state: 'delivered', nextAttemptAt: null };
  const wait = schedule[tries - 1];
  if (wait === undefined) return { ...tried, state: 'given-up', nextAttemptAt: null };
  const jittered = Math.round(wait * (1 + JITTER * (2 * chance - 1)));
  return { ...tried, nextAttemptAt: attempt.at + attempt.milliseconds + jittered };
}

/** The record that holds a delivery. */
export function recordOfDelivery({ state, ...value }: DeliveryRecord, revision: number): StoredRecord {
  return { id: deliveryKey(value.webhook, value.id), revision, state, value };
}
