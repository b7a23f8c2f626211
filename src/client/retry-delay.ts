import type { RetortApiError } from './retort-api-error.ts';

const FIRST_MS = 500;
const LONGEST_MS = 20_000;
/** A server that asks for more than this has told the caller to come back, not to wait. */
const PATIENCE_MS = 120_000;

/** Grows from half a second to 20 s; the random part keeps clients of one outage apart. */
export const backoff = (tries: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** tries) * (0.5 + Math.random() / 2);

/**
 * Milliseconds to wait before the same request may go out again; undefined: never. A 429 that names no time is a quota
 * that waiting does not refill.
 *
 * @param tries repetitions so far
 */
export function retryDelay({ status, retryAfter }: RetortApiError, tries: number): number | undefined {
  if (retryAfter !== undefined && (status === 429 || status === 503)) {
    return retryAfter <= PATIENCE_MS ? Math.max(retryAfter, backoff(0)) : undefined;
  }
  return [0, 502, 503, 504].includes(status) ? backoff(tries) : undefined;
}
