import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import { Lease } from '../../../src/service/lease.ts';
import { ManualClock } from '../../support/job-draft.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const setUp = () => ({ jobs: new MemoryJobs(), clock: new ManualClock() });

test('of many that want a lease at once one gets it', async () => {
  const tools = setUp();
  const got = await Promise.all(Array.from({ length: 20 }, () => Lease.acquire('x', 1000, tools)));
  assert.equal(got.filter((lease) => lease !== undefined).length, 1);
});

test('a lease is free again when it is released, and when its holder has died', async () => {
  const tools = setUp();
  const first = (await Lease.acquire('x', 1000, tools))!;
  assert.equal(await Lease.acquire('x', 1000, tools), undefined);
  assert.ok(await Lease.acquire('y', 1000, tools));
  await first.release();
  assert.ok(await Lease.acquire('x', 1000, tools));
  tools.clock.time += 1000;
  assert.ok(await Lease.acquire('x', 1000, tools));
});

test('a lease that is kept outlives its first time; one that was lost says so and frees nothing', async () => {
  const tools = setUp();
  const first = (await Lease.acquire('x', 1000, tools))!;
  for (let step = 0; step < 5; step++) {
    tools.clock.time += 600;
    await first.keep();
  }
  assert.equal(await Lease.acquire('x', 1000, tools), undefined);
  tools.clock.time += 1000;
  assert.ok(await Lease.acquire('x', 1000, tools));
  await assert.rejects(first.keep(), code('STORE_CONFLICT'));
  await first.release();
  assert.equal(await Lease.acquire('x', 1000, tools), undefined);
});
