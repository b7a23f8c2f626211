import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Distillation } from '../src/contract/distillation.ts';
import { Random } from '../src/core/random.ts';
import { Fleet } from '../test/chaos/fleet.ts';
import { Ledger } from '../test/chaos/ledger.ts';
import { Traffic } from '../test/chaos/traffic.ts';

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

/** How long a status request takes, asked one after another, while a job trains on the same cores; milliseconds. */
export async function status(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { requests: { type: 'string', default: '3000' } },
  });
  const fleet = await Fleet.start(1);
  try {
    const traffic = new Traffic(fleet.url, new Ledger(fleet.url), new Random(0, 'bench'));
    const id = await traffic.create(1_000_000);
    if (id === undefined) throw new Error(`the job was not accepted:\n${fleet.log.join('\n')}`);
    const url = `${fleet.url}/v1/distillations/${id}`;
    const read = async (): Promise<Distillation> => (await (await fetch(url)).json()) as Distillation;
    while ((await read()).progress?.stage !== 'train') await sleep(100);
    const times: number[] = [];
    for (let i = 0; i < Number(values.requests); i++) {
      const started = performance.now();
      const job = await read();
      times.push(performance.now() - started);
      if (job.state !== 'running') throw new Error(`the job is ${job.state}`);
    }
    times.sort((a, b) => a - b);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(times, share));
    console.log(
      JSON.stringify({
        name: 'status',
        unit: 'ms',
        requests: times.length,
        p50,
        p95,
        p99,
        max: times.at(-1),
      }),
    );
  } finally {
    await fleet.stop();
  }
}

/** Many tiny jobs queued at once: how long until all have ended, and whether any was lost. */
export async function drain(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { jobs: { type: 'string', default: '500' }, workers: { type: 'string', default: '2' } },
  });
  const wanted = Number(values.jobs);
  const fleet = await Fleet.start(Number(values.workers), { RETORT_MAX_OPEN_JOBS: `${wanted}` });
  try {
    const ledger = new Ledger(fleet.url);
    const traffic = new Traffic(fleet.url, ledger, new Random(0, 'bench'));
    const started = performance.now();
    for (let i = 0; i < wanted; i++) await traffic.create(1);
    const queued = performance.now();
    const open = new Set(ledger.accepted);
    while (open.size > 0) {
      for (const id of open) {
        const job = (await (await fetch(`${fleet.url}/v1/distillations/${id}`)).json()) as Distillation;
        if (!['succeeded', 'failed', 'cancelled'].includes(job.state)) break;
        open.delete(id);
      }
      await sleep(200);
      process.stderr.write(`\r${open.size} left  `);
    }
    console.log(
      JSON.stringify({
        name: 'drain',
        jobs: ledger.accepted.size,
        refused: traffic.refused,
        secondsToQueue: (queued - started) / 1000,
        secondsToDrain: (performance.now() - started) / 1000,
        broken: await ledger.verdict(),
      }),
    );
  } finally {
    await fleet.stop();
  }
}
