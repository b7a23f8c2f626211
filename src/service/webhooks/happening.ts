import { createHash } from 'node:crypto';
import { encodeTime } from 'ulid';
import type { JobRecord } from '../jobs/job.ts';
import { type WebhookEvent, webhookEvents } from './webhook.ts';

/** A state that a job has reached, as webhooks tell it. */
export interface Happening {
  /** Id of the job. */
  readonly job: string;
  /** Tells a state reached again (a second pause) from one that is told again. */
  readonly occurrence: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `data` of the message. */
  readonly data: unknown;
}

/** The event and what to tell of it; undefined for states that no webhook is told of. */
export function happeningOf(
  job: JobRecord,
  now: number,
): { readonly event: WebhookEvent; readonly happening: Happening } | undefined {
  const event = webhookEvents.find((name) => name === `distillation.${job.state}`);
  if (!event) return undefined;
  const { id, state, attempt, createdAt, startedAt, finishedAt, retryOf, options, error } = job;
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const data = {
    id,
    state,
    attempt,
    createdAt: time(createdAt),
    startedAt: time(startedAt),
    finishedAt: time(finishedAt),
    retryOf,
    labels: options.labels,
    error: error && { code: error.code, message: error.message, hint: error.hint },
  };
  const happening = { job: id, occurrence: `${job.dispatch}.${attempt}`, at: finishedAt ?? now, data };
  return { event, happening };
}

/** Id of the delivery of a happening to a webhook: a ULID by its time, its chance replaced by what it is about. */
export function deliveryIdOf(
  webhook: string,
  event: WebhookEvent,
  { job, occurrence, at }: Happening,
): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([webhook, job, event, occurrence]))
    .digest();
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  return encodeTime(at) + [...digest.subarray(0, 16)].map((byte) => letters[byte % 32]).join('');
}
