// npm run chaos -- [--minutes N] [--seed S] [--workers N]: breaks the service for N minutes and checks every promise.
import { parseArgs } from 'node:util';
import { Fleet } from './fleet.ts';
import { atRandom, chaosRound } from './round.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    workers: { type: 'string', default: '2' },
  },
});
const started = Date.now();
const say = (line: string): void => console.error(`${((Date.now() - started) / 1000).toFixed(0)} s: ${line}`);
const seed = Number(values.seed);
say(`seed ${seed}`);
const fleet = await Fleet.start(Number(values.workers));
try {
  const result = await chaosRound(fleet, {
    seed,
    plan: atRandom(seed, Number(values.minutes)),
    faultEveryMs: 12_000,
    jobEveryMs: 4000,
    settleMinutes: 10,
    say,
  });
  console.log(JSON.stringify({ seed, minutes: Number(values.minutes), ...result }, null, 2));
  process.exitCode = result.broken.length > 0 ? 1 : 0;
} finally {
  await fleet.stop();
}
