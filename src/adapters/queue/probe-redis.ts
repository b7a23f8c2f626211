import { Redis } from 'ioredis';
import type { RedisAddress } from './redis-folder.ts';

/** Connections of processes that keep a private Redis alive bear this name: they are counted by it. */
const KEEPER = 'retort-keeper';

export type Probe =
  | { readonly found: 'ours'; readonly redis: Redis; readonly pid: number }
  /** Nobody listens; someone listens and does not answer; someone else answers. */
  | { readonly found: 'nobody' | 'silence' | 'stranger' };

/** Looks who listens at the address of a private Redis. The connection is handed out and never renews itself. */
export async function probeRedis({ port, password }: RedisAddress, patienceMs: number): Promise<Probe> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    password,
    connectionName: KEEPER,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
  });
  let last: NodeJS.ErrnoException | undefined;
  redis.on('error', (error: NodeJS.ErrnoException) => {
    last ??= error;
  });
  const patience = setTimeout(() => redis.disconnect(), patienceMs);
  try {
    await redis.connect();
    // A Redis without a password would have let us in as well.
    const [, required] = (await redis.config('GET', 'requirepass')) as readonly string[];
    const pid = Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);
    if (required === password) return { found: 'ours', redis, pid };
    last = new Error('ERR it has another password');
  } catch (error) {
    last ??= error as Error;
  } finally {
    clearTimeout(patience);
  }
  redis.disconnect();
  if (last.code === 'ECONNREFUSED') return { found: 'nobody' };
  return {
    found: /^(WRONGPASS|NOAUTH|NOPERM|ERR)\b|Protocol error/.test(last.message) ? 'stranger' : 'silence',
  };
}

/** How many processes keep that server alive, this one included. */
export async function countKeepers(redis: Redis): Promise<number> {
  const clients = (await redis.client('LIST')) as string;
  return clients.split('\n').filter((line) => line.split(' ').includes(`name=${KEEPER}`)).length;
}
