/** Times of the server that are no settings: they change in tests only. Milliseconds. */
export interface Times {
  /** From the opening of a connection until its headers are there. */
  readonly headers: number;
  /** How often Node looks at that. */
  readonly connectionCheck: number;
  /** For a whole body that is no upload. */
  readonly body: number;
  /** Between two signs of life on an event stream. */
  readonly heartbeat: number;
  /** How long an event stream waits for a client that reads nothing. */
  readonly stalled: number;
  /** How long POST /v1/datasets waits for the inspection before it answers 202. */
  readonly inspection: number;
}

export const defaultTimes: Times = {
  headers: 10_000,
  connectionCheck: 2_000,
  body: 30_000,
  heartbeat: 15_000,
  stalled: 60_000,
  inspection: 20_000,
};
