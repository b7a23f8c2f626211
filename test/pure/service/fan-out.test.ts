import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '../../../src/pipeline/offer.ts';
import { Attempt } from '../../../src/service/jobs/attempt.ts';
import { freeSlots } from '../../../src/service/jobs/free-slots.ts';
import { GroupHelp } from '../../../src/service/jobs/group-help.ts';
import { planGroups, sizeOf } from '../../../src/service/jobs/plan-groups.ts';
import { Sharing } from '../../../src/service/jobs/sharing.ts';
import { claim, helped } from '../../../src/service/jobs/transitions.ts';
import { memoryService, someDraft, someFanOut } from '../../support/job-draft.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

const offer = (count: number, milliseconds: number, size = (_: number) => 64): Offer => {
  const parts = Array.from({ length: count }, (_, i) => ({ name: `1-${i}`, size: size(i) }));
  return { stage: 'teach', key: 'k', done: 64, total: 64 + sizeOf(parts), milliseconds, parts };
};

/** A job whose first attempt has fanned out, with everything around it. */
async function waiting(made = memoryService()) {
  const tools = { records: made.records, clock: made.clock, crashBudget: 3 };
  const job = await made.service.create(someDraft());
  const attempt = (await Attempt.claim(job, 'w', tools))!;
  const group = (index: number) =>
    new GroupHelp(
      {
        id: job.id,
        dispatch: 1,
        attempt: 1,
        group: index,
        stage: 'teach',
        order: { key: 'k', parts: [`1-${index}`] },
      },
      tools,
    );
  const after = await attempt.finish({ kind: 'fanned-out', fanOut: someFanOut });
  return { ...made, tools, job: after, attempt, group };
}

test('groups hold every part once, in order, with about equal work', () => {
  for (const slots of [2, 3, 7]) {
    const given = offer(50, 60_000, (i) => (i % 5 === 4 ? 16 : 64));
    const groups = planGroups(given, slots, { minMs: 20_000 });
    assert.equal(groups.length, slots);
    assert.deepEqual(groups.flat(), given.parts);
    const sizes = groups.map(sizeOf);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 2 * 64, `${sizes}`);
  }
});

test('long work is cut into more groups than slots, so that nobody waits for the slowest', () => {
  const groups = planGroups(offer(1000, 3_600_000), 4, { minMs: 20_000 });
  assert.equal(groups.length, 4 * 8);
  // Never into groups of one part.
  assert.equal(planGroups(offer(20, 3_600_000), 4, { minMs: 20_000 }).length, 10);
});

test('too little work, too few parts and too few slots are not shared', () => {
  const limits = { minMs: 20_000 };
  assert.deepEqual(planGroups(offer(50, 19_999), 2, limits), []);
  assert.deepEqual(planGroups(offer(50, 60_000), 1, limits), []);
  assert.deepEqual(planGroups(offer(5, 60_000), 3, limits), []);
  assert.equal(planGroups(offer(6, 20_000), 3, limits).length, 3);
});

test('free slots are those of living workers that no entry has; while jobs wait there are none to give', async () => {
  const dispatcher = (waiting: number, active: number) => ({
    workers: async () => [
      { name: 'a', slots: { cpu: 2 } },
      { name: 'b', slots: { cpu: 1, cuda: 1 } },
    ],
    counts: async () => ({ waiting, active }),
  });
  assert.equal(await freeSlots(dispatcher(0, 1), 'cpu'), 3);
  assert.equal(await freeSlots(dispatcher(0, 2), 'cpu'), 2);
  assert.equal(await freeSlots(dispatcher(0, 5), 'cpu'), 1);
  assert.equal(await freeSlots(dispatcher(0, 1), 'cuda'), 1);
  assert.equal(await freeSlots(dispatcher(1, 1), 'cpu'), 1);
});

test('a job that waits for helpers is running without a worker, and no attempt can write to it', async () => {
  const { job, attempt, service } = await waiting();
  assert.deepEqual([job.state, job.worker, job.fanOut?.attempt, job.fanOuts], ['running', null, 1, 1]);
  assert.equal(job.progress?.done, 20);
  await assert.rejects(attempt.event('note', {}), code('STORE_CONFLICT'));
  await assert.rejects(attempt.finish({ kind: 'stopped' }), code('STORE_CONFLICT'));
  assert.equal((await service.get(job.id)).revision, job.revision);
});

test('coming back from helpers is no crash, dying afterwards is', async () => {
  const { job, tools } = await waiting();
  const back = (await Attempt.claim(job, 'v', tools))!;
  assert.deepEqual([back.number, back.job.crashes, back.job.fanOut], [2, 0, null]);
  const again = (await Attempt.claim(job, 'u', tools))!;
  assert.deepEqual([again.number, again.job.crashes], [3, 1]);
});

test('a job that waits for helpers is cancelled or paused at once, for nobody could answer', async () => {
  const cancelled = await waiting();
  assert.equal((await cancelled.service.cancel(cancelled.job.id)).state, 'cancelled');
  assert.equal(await cancelled.group(0).wanted(), undefined);
  assert.equal(await cancelled.dispatcher.where(cancelled.job), undefined);

  const paused = await waiting();
  const after = await paused.service.pause(paused.job.id);
  assert.deepEqual([after.state, after.fanOut], ['paused', null]);
  assert.equal(await paused.group(0).wanted(), undefined);
  const resumed = await paused.service.resume(paused.job.id);
  assert.deepEqual([resumed.state, resumed.dispatch, resumed.fanOuts], ['queued', 2, 0]);
  assert.equal(await paused.group(0).wanted(), undefined);
});

test('a job that waits past its time ends, and its entry goes', async () => {
  const made = memoryService();
  const { job } = await waiting(made);
  const limited = { ...(await made.records.get(job.id)) };
  await made.records.update(job.id, (now) => ({
    ...now,
    options: { ...limited.options, cancelAfterSeconds: 1 },
  }));
  made.clock.time += 2000;
  await made.reconcile();
  const expired = await made.service.get(job.id);
  assert.deepEqual([expired.state, expired.error?.code], ['cancelled', 'JOB_EXPIRED']);
  assert.equal(await made.dispatcher.where(job), undefined);
});

test('progress while waiting is what was done before and by all groups, told again or not', async () => {
  const { group, service, job, clock } = await waiting();
  clock.time += 10_000;
  await group(0).progress(10);
  await group(1).progress(30);
  const { progress } = await service.get(job.id);
  assert.deepEqual([progress?.done, progress?.total, progress?.etaMs], [60, 100, 10_000]);
  await group(0).finished();
  await group(0).finished();
  assert.equal((await service.get(job.id)).progress?.done, 80);
});

test('helpers of an earlier fan-out change nothing', async () => {
  const { job, group, tools, service } = await waiting();
  const back = (await Attempt.claim(job, 'v', tools))!;
  const claimed = await service.get(job.id);
  await group(0).finished();
  assert.equal(await group(0).wanted(), undefined);
  assert.equal((await service.get(job.id)).revision, claimed.revision);
  await back.finish({ kind: 'fanned-out', fanOut: someFanOut });
  assert.equal(await group(0).wanted(), undefined);
  const now = await service.get(job.id);
  assert.equal(helped(now, { attempt: 1, group: 0 }, 5, 0), now);
  assert.equal(helped(now, { attempt: 2, group: 9 }, 5, 0), now);
  assert.equal(helped(now, { attempt: 2, group: 1 }, 5, 0).progress?.done, 25);
});

test('an offer is taken once, by free workers only, and three times in a dispatch at most', async () => {
  const made = memoryService();
  const tools = { records: made.records, clock: made.clock, crashBudget: 3 };
  const job = await made.service.create(someDraft());
  const slots = (count: number) => ({
    device: 'cpu' as const,
    minMs: 20_000,
    dispatcher: {
      workers: async () => [{ name: 'a', slots: { cpu: count } }],
      counts: async () => ({ waiting: 0, active: 1 }),
    },
  });
  for (let round = 1; round <= 4; round++) {
    const attempt = (await Attempt.claim(job, 'w', tools))!;
    const alone = new Sharing(attempt, slots(1));
    assert.equal(await alone.consider(offer(10, 60_000)), false);
    assert.deepEqual(alone.ending({ kind: 'stopped' }), { kind: 'stopped' });
    const sharing = new Sharing(attempt, slots(2));
    assert.equal(await sharing.consider(offer(10, 60_000)), round <= 3);
    assert.equal(await sharing.consider(offer(9, 54_000)), false);
    const crashed = { kind: 'crashed', detail: 'SIGKILL' } as const;
    assert.equal(sharing.ending(crashed), crashed);
    if (round > 3) continue;
    assert.deepEqual(
      sharing.groups.map(({ attempt: number, group, order }) => [number, group, order.parts.length]),
      [
        [round, 0, 5],
        [round, 1, 5],
      ],
    );
    assert.equal((await attempt.finish(sharing.ending({ kind: 'stopped' }))).fanOuts, round);
  }
});

test('a claim of a job in any state keeps no fan-out behind', async () => {
  const { job } = await waiting();
  for (const state of ['queued', 'running', 'pausing', 'cancelling'] as const) {
    const claimed = claim({ ...job, state, fanOut: state === 'running' ? job.fanOut : null }, 'w', 3, 0);
    assert.equal(claimed?.fanOut, null);
  }
});
