import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults } from '../chaos/faults.ts';
import { Fleet } from '../chaos/fleet.ts';
import { chaosRound } from '../chaos/round.ts';
import { noRedis } from '../support/redis.ts';

/** What takes the longest is left to `npm run chaos`; promises.test.ts has the faults of one process by itself. */
const plan = [
  'kill -9 the API',
  'kill -9 a child',
  'SIGTERM a worker',
  'block a supervisor for 25 s',
  'FLUSHALL',
  'kill -9 everything',
  'SIGTERM the API',
];

test('a short round of faults under traffic breaks no promise', { skip: noRedis ?? false }, async () => {
  assert.deepEqual(
    plan.filter((name) => !(name in faults)),
    [],
  );
  const fleet = await Fleet.start(2);
  try {
    const result = await chaosRound(fleet, {
      seed: 11,
      plan,
      faultEveryMs: 2500,
      jobEveryMs: 2500,
      settleMinutes: 5,
      say: () => {},
    });
    assert.deepEqual(result.broken, [], JSON.stringify({ ...result, log: fleet.log.slice(-40) }, null, 1));
    assert.ok(result.accepted >= 5, `${result.accepted} jobs`);
  } finally {
    await fleet.stop();
  }
});
