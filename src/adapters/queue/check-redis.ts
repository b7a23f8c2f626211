import type { Redis } from 'ioredis';
import { RetortError } from '../../errors.ts';
import { producerConnection, reachable } from './connection.ts';
import { parseInfo } from './parse-info.ts';
import { type RedisFacts, redisProblems } from './redis-problems.ts';

/**
 * Refuses a Redis that would lose jobs: too old, without an append-only file, or free to evict entries. Asks CONFIG
 * GET, and INFO where a managed Redis forbids it. `unchecked` accepts what neither tells, but nothing known to be wrong.
 */
export async function checkRedis(
  url: string,
  { unchecked }: { readonly unchecked: boolean },
): Promise<RedisFacts> {
  const redis = await reachable(producerConnection(url));
  try {
    const facts = await readFacts(redis);
    const { wrong, unknown } = redisProblems(facts);
    const problems = [...wrong, ...(unchecked ? [] : unknown)];
    if (problems.length === 0) return facts;
    throw new RetortError('QUEUE_UNAVAILABLE', `this Redis is not safe as a queue: ${problems[0]}`, {
      problems,
      hint:
        wrong.length > 0
          ? 'Change it as said, or leave REDIS_URL empty: a private redis-server is started then.'
          : 'Allow CONFIG GET or INFO to this user, or set RETORT_REDIS_UNCHECKED=1 if you know that it is set up so.',
    });
  } finally {
    redis.disconnect();
  }
}

async function readFacts(redis: Redis): Promise<RedisFacts> {
  const info = parseInfo((await allowed(redis.info())) ?? '');
  const setting = async (name: string): Promise<string | undefined> =>
    ((await allowed(redis.config('GET', name))) as readonly string[] | undefined)?.[1];
  const aof = info.get('aof_enabled');
  return {
    version: info.get('redis_version'),
    appendonly: (await setting('appendonly')) ?? (aof && (aof === '1' ? 'yes' : 'no')),
    policy: (await setting('maxmemory-policy')) ?? info.get('maxmemory_policy'),
  };
}

/** Undefined where Redis answers that it will not tell; QUEUE_UNAVAILABLE where it does not answer. */
async function allowed<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (/^(NOPERM|ERR)\b/.test((cause as Error).message)) return undefined;
    throw new RetortError('QUEUE_UNAVAILABLE', 'Redis did not answer when its settings were read', {
      cause,
      hint: 'Check that it runs and is not overloaded or still loading its data.',
    });
  }
}
