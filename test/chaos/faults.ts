import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/core/random.ts';
import type { Fleet } from './fleet.ts';

/** Something that goes wrong; resolves when it is over (what it broke may take longer to mend). */
export type Fault = (fleet: Fleet, random: Random) => Promise<void>;

const anyWorker = (fleet: Fleet, random: Random) => fleet.workers[random.int(fleet.workers.length)]!;

/** For a while neither answers nor dies: an event loop that is blocked, a machine that swaps. */
const freeze =
  (seconds: number): Fault =>
  async (fleet, random) => {
    const worker = anyWorker(fleet, random);
    worker.signal('SIGSTOP');
    await sleep(seconds * 1000);
    worker.signal('SIGCONT');
  };

const freezeRedis =
  (seconds: number): Fault =>
  async ({ redis }) => {
    redis.signal('SIGSTOP');
    await sleep(seconds * 1000);
    redis.signal('SIGCONT');
  };

const killRedis: Fault = async ({ redis }, random) => {
  await redis.kill();
  await sleep(random.int(3000));
  await redis.start();
};

/** Faults by name, with how often each is chosen relative to the others. */
export const faults: Readonly<Record<string, { readonly weight: number; readonly run: Fault }>> = {
  'kill -9 a child': {
    weight: 4,
    run: async (fleet, random) => {
      const pids = await fleet.children();
      const pid = pids[random.int(Math.max(1, pids.length))];
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
  },
  'kill -9 a supervisor': {
    weight: 3,
    run: async (fleet, random) => anyWorker(fleet, random).signal('SIGKILL'),
  },
  'SIGTERM a worker': { weight: 3, run: async (fleet, random) => anyWorker(fleet, random).signal('SIGTERM') },
  'kill -9 the API': { weight: 2, run: async ({ api }) => api.signal('SIGKILL') },
  'SIGTERM the API': { weight: 1, run: async ({ api }) => api.signal('SIGTERM') },
  'kill -9 Redis': { weight: 2, run: killRedis },
  'kill -9 everything': {
    weight: 1,
    run: async (fleet, random) => {
      for (const process of [fleet.api, ...fleet.workers]) process.signal('SIGKILL');
      await killRedis(fleet, random);
    },
  },
  'freeze Redis for 8 s': { weight: 1, run: freezeRedis(8) },
  'freeze Redis for 45 s': { weight: 1, run: freezeRedis(45) },
  'block a supervisor for 25 s': { weight: 1, run: freeze(25) },
  FLUSHALL: { weight: 2, run: async ({ redis }) => void (await redis.client.flushall()) },
};

/** One of them, by weight. */
export function anyFault(random: Random): string {
  const names = Object.keys(faults);
  let left = random.int(names.reduce((sum, name) => sum + faults[name]!.weight, 0));
  return names.find((name) => {
    left -= faults[name]!.weight;
    return left < 0;
  })!;
}
