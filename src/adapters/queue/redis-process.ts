import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RetortError } from '../../errors.ts';
import { isRunning } from '../birth-of.ts';
import { probeRedis } from './probe-redis.ts';
import { CONFIG_FILE, type RedisAddress, type RedisFolder } from './redis-folder.ts';

const START_MS = 15_000;
const LOOK_EVERY_MS = 25;

export interface RunningRedis {
  readonly redis: Redis;
  readonly pid: number;
}

/** Starts a server in its folder and waits until it answers. It outlives this process, if that is killed. */
export async function startRedis(
  program: string,
  folder: RedisFolder,
  address: RedisAddress,
): Promise<RunningRedis> {
  await folder.configure(address);
  // Written before the start: whoever comes after a crash at this point looks at this port, and finds the server.
  await folder.write(address);
  const log = await folder.log();
  try {
    const child = spawn(program, [CONFIG_FILE], {
      cwd: folder.path,
      // A session of its own: Ctrl-C in our terminal is for us, and we stop it when the jobs are put away.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid!;
    await folder.write({ ...address, pid });
    return await answering(address, pid);
  } finally {
    await log.close();
  }
}

async function answering(address: RedisAddress, pid: number): Promise<RunningRedis> {
  const until = performance.now() + START_MS;
  for (;;) {
    const left = until - performance.now();
    const probe = await probeRedis(address, Math.max(left, LOOK_EVERY_MS));
    if (probe.found === 'ours') return probe;
    if (!isRunning(pid)) throw failed('ended when it was started');
    if (left <= 0) {
      kill(pid);
      throw failed(`did not answer ${START_MS / 1000} s after its start`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

const failed = (what: string): RetortError =>
  new RetortError('QUEUE_UNAVAILABLE', `the private redis-server ${what}`, {
    hint: 'It says why in redis/redis.log of the data folder.',
  });

/** Stops a server: asks it to, and kills it if it has not ended after `patienceMs`. */
export async function stopRedis(
  { redis, pid }: RunningRedis,
  patienceMs = 10_000,
): Promise<'ended' | 'killed'> {
  // It answers by closing the connection.
  void redis.shutdown().catch(() => {});
  try {
    if (await ended(pid, patienceMs)) return 'ended';
    kill(pid);
    await ended(pid, patienceMs);
    return 'killed';
  } finally {
    redis.disconnect();
  }
}

async function ended(pid: number, patienceMs: number): Promise<boolean> {
  const until = performance.now() + patienceMs;
  while (isRunning(pid)) {
    if (performance.now() > until) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
