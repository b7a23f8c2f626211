import { once } from 'node:events';
import { Redis } from 'ioredis';
import { RetortError } from '../../errors.ts';

const PATIENCE_MS = 10_000;

/** Of the side that puts things in: fails at once where Redis is away, so that a request is answered. */
export const producerConnection = (url: string): Redis =>
  quiet(
    new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      connectTimeout: 5000,
      commandTimeout: 5000,
      retryStrategy,
    }),
  );

/** Of the side that takes things out: waits for Redis to come back. */
export const workerConnection = (url: string): Redis =>
  quiet(new Redis(url, { maxRetriesPerRequest: null, connectTimeout: 5000, retryStrategy }));

/** Waits until the connection stands; QUEUE_UNAVAILABLE after ten seconds, at once where Redis turns us away. */
export async function reachable(redis: Redis, patienceMs = PATIENCE_MS): Promise<Redis> {
  const limit = AbortSignal.timeout(patienceMs);
  let last: unknown;
  try {
    // `once` rejects on the first error; a server that is about to start deserves another look.
    while (redis.status !== 'ready') {
      await once(redis, 'ready', { signal: limit }).catch((error: unknown) => {
        if (isRefusal(error)) throw error;
        if (limit.aborted) throw last ?? error;
        last = error;
      });
    }
    return redis;
  } catch (cause) {
    redis.disconnect();
    const refused = isRefusal(cause);
    throw new RetortError('QUEUE_UNAVAILABLE', `Redis ${refused ? 'refuses us' : 'cannot be reached'}`, {
      cause,
      problems: [reason(cause)],
      hint: refused
        ? 'Check the user and the password in REDIS_URL.'
        : 'Check REDIS_URL, and that the server runs.',
    });
  }
}

/** A host with several addresses gives an error without a message, only with a code. */
const reason = (error: unknown): string =>
  (error as Error).message || String((error as NodeJS.ErrnoException).code);

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password)/.test(error.message);

const retryStrategy = (times: number): number => Math.min(250 * 2 ** Math.min(times, 6), 5000);

/** Errors are told by the commands that fail; without a listener they would end the process. */
function quiet(redis: Redis): Redis {
  redis.on('error', () => {});
  return redis;
}
