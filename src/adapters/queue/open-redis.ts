import type { Config } from '../../config.ts';
import { RetortError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { checkRedis } from './check-redis.ts';
import { PrivateRedis } from './private-redis.ts';

export interface OpenRedis {
  /** May hold a password: for connections, not for logs. */
  readonly url: string;
  readonly private: boolean;
  close(): Promise<void>;
}

/**
 * The Redis of the queue, checked: that of REDIS_URL, or else a private one in the data folder. `onGone` is called
 * when the private one died again and again and is given up.
 */
export async function openRedis(
  config: Config,
  log: Log,
  onGone?: (error: RetortError) => void,
): Promise<OpenRedis> {
  const unchecked = config.RETORT_REDIS_UNCHECKED === '1';
  if (config.REDIS_URL !== '') {
    // Anything else would be taken for the path of a socket. The value may hold a password, so it is not shown.
    if (!/^rediss?:\/\/./.test(config.REDIS_URL)) {
      throw new RetortError('SERVICE_SETUP', 'REDIS_URL is not a URL of a Redis', {
        hint: 'Write it as redis://[[user]:password@]host:port[/database], or rediss:// for TLS.',
      });
    }
    const { version } = await checkRedis(config.REDIS_URL, { unchecked });
    log.info({ version }, 'Redis of REDIS_URL is fit as a queue');
    return { url: config.REDIS_URL, private: false, close: async () => {} };
  }
  const redis = await PrivateRedis.open(config.dataFolder, { log, ...(onGone ? { onGone } : {}) });
  try {
    await checkRedis(redis.url, { unchecked });
  } catch (error) {
    await redis.close();
    throw error;
  }
  return { url: redis.url, private: true, close: () => redis.close() };
}
