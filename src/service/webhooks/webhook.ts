/** Events a webhook can be told of: the state a job has reached. */
export const webhookEvents = [
  'distillation.running',
  'distillation.paused',
  'distillation.succeeded',
  'distillation.failed',
  'distillation.cancelled',
] as const;

export type WebhookEvent = (typeof webhookEvents)[number];

/** Value of the record `webhook/<owner>/<id>`. */
export interface Webhook {
  /** `wh_` and a ULID: sorts by creation. */
  readonly id: string;
  readonly owner: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** `whsec_` and the key in base64. It signs, so it is kept as it is; users see it once. */
  readonly secret: string;
}

export const webhookKey = (owner: string, id: string): string => `webhook/${owner}/${id}`;
