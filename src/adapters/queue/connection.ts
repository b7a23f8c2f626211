import { once } from 'node:events';
import { Redis } from 'ioredis';
import { RetortError } from '../../errors.ts';

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

/** Waits until the first connection stands; QUEUE_UNAVAILABLE after ten seconds. */
export async function reachable(redis: Redis): Promise<Redis> {
  if (redis.status === 'ready') return redis;
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(10_000) });
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw new RetortError('QUEUE_UNAVAILABLE', 'Redis cannot be reached', {
      cause,
      hint: 'Check REDIS_URL, and that the server runs.',
    });
  }
}

const retryStrategy = (times: number): number => Math.min(250 * 2 ** Math.min(times, 6), 5000);

/** Errors are told by the commands that fail; without a listener they would end the process. */
function quiet(redis: Redis): Redis {
  redis.on('error', () => {});
  return redis;
}
