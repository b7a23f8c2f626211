import { setTimeout as sleep } from 'node:timers/promises';
import type { Distillation } from '../../src/contract/distillation.ts';
import { Random } from '../../src/core/random.ts';
import { anyFault, faults } from './faults.ts';
import type { Fleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { Traffic } from './traffic.ts';

export interface RoundOptions {
  readonly seed: number;
  /** What goes wrong, in order; the round is over when it ends. */
  readonly plan: Iterable<string>;
  /** Mean time between two faults, and between two jobs. */
  readonly faultEveryMs: number;
  readonly jobEveryMs: number;
  /** How long the service has afterwards to finish everything. */
  readonly settleMinutes: number;
  readonly say: (line: string) => void;
}

export interface RoundResult {
  readonly accepted: number;
  readonly refused: number;
  readonly states: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Jobs that needed more than one attempt. */
  readonly resumed: number;
  readonly settledSeconds: number;
  readonly broken: readonly string[];
}

/** Traffic and faults side by side, then quiet; at the end every promise is checked against the ledger. */
export async function chaosRound(fleet: Fleet, options: RoundOptions): Promise<RoundResult> {
  const { seed, plan, say } = options;
  const random = new Random(seed, 'faults');
  const ledger = new Ledger(fleet.url);
  const traffic = new Traffic(fleet.url, ledger, new Random(seed, 'traffic'));
  const stop = new AbortController();
  const running = traffic.run(stop.signal, options.jobEveryMs);
  const done: Record<string, number> = {};
  for (const name of plan) {
    await sleep(random.int(2 * options.faultEveryMs));
    done[name] = (done[name] ?? 0) + 1;
    say(`${name} (${ledger.accepted.size} jobs accepted)`);
    await faults[name]!.run(fleet, random);
  }
  stop.abort();
  await running;
  say(`quiet now; ${ledger.accepted.size} jobs accepted, ${traffic.refused} requests refused`);
  const settled = performance.now();
  await fleet.ready();
  const jobs = await settle(fleet, ledger, options.settleMinutes * 60_000);
  await Promise.race([Promise.all(traffic.followers), sleep(30_000)]);
  ledger.stopFollowing();
  const states: Record<string, number> = {};
  for (const { state } of jobs) states[state] = (states[state] ?? 0) + 1;
  return {
    accepted: ledger.accepted.size,
    refused: traffic.refused,
    states,
    faults: done,
    resumed: jobs.filter(({ attempt }) => attempt > 1).length,
    settledSeconds: Math.round((performance.now() - settled) / 1000),
    broken: await ledger.verdict(),
  };
}

/** Faults by chance, for so long. */
export function* atRandom(seed: number, minutes: number): Generator<string> {
  const random = new Random(seed, 'plan');
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) yield anyFault(random);
}

/** Waits until every accepted job has ended, or the time is up. */
async function settle(fleet: Fleet, ledger: Ledger, milliseconds: number): Promise<Distillation[]> {
  const end = performance.now() + milliseconds;
  const jobs = new Map<string, Distillation>();
  const open = new Set(ledger.accepted);
  while (open.size > 0 && performance.now() < end) {
    for (const id of open) {
      const response = await fetch(`${fleet.url}/v1/distillations/${id}`);
      if (!response.ok) continue;
      const job = (await response.json()) as Distillation;
      jobs.set(id, job);
      if (['succeeded', 'failed', 'cancelled'].includes(job.state)) open.delete(id);
    }
    await sleep(500);
  }
  return [...jobs.values()];
}
