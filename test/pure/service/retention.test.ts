import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FsBlobs } from '../../../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../../../src/adapters/storage/fs-jobs.ts';
import type { BlobStore, JobStore } from '../../../src/pipeline/ports.ts';
import { STAGE_TOUCH_MS, StageRecord } from '../../../src/pipeline/stage-record.ts';
import { idempotentId } from '../../../src/service/jobs/idempotency.ts';
import { jobKey, openKey } from '../../../src/service/jobs/job.ts';
import { Lease } from '../../../src/service/lease.ts';
import { hashesIn } from '../../../src/service/retention/hashes-in.ts';
import { Retention } from '../../../src/service/retention/retention.ts';
import { Webhooks } from '../../../src/service/webhooks/webhooks.ts';
import { DatedBlobs, DatedJobs } from '../../support/dated-stores.ts';
import { ManualClock, memoryService, someDraft } from '../../support/job-draft.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const rules = { stagesMs: 7 * DAY, graceMs: DAY };
const bytes = (text: string) => new TextEncoder().encode(text);

const setUp = () => {
  const clock = new ManualClock();
  // As now as the wall: some of what is tested dates records by it.
  clock.time = Date.now();
  const jobs = new DatedJobs(clock);
  const blobs = new DatedBlobs(clock);
  const retention = new Retention({ jobs, blobs, clock, rules });
  /** Sweeps every hour until so much time has passed. */
  const pass = async (milliseconds: number) => {
    const total = { blobs: 0, bytes: 0, records: {} as Record<string, number> };
    for (const end = clock.time + milliseconds; clock.time < end; ) {
      clock.time += HOUR;
      const report = (await retention.sweep({ now: clock.time }))!;
      total.blobs += report.blobs;
      total.bytes += report.bytes;
      for (const [kind, count] of Object.entries(report.records))
        total.records[kind] = (total.records[kind] ?? 0) + count;
    }
    return total;
  };
  return { clock, jobs, blobs, retention, pass };
};
const keep = (jobs: JobStore, id: string, value: unknown, state = 'ready') =>
  jobs.put({ id, revision: 0, state, value });
const ids = async (jobs: JobStore, prefix: string) => (await jobs.list({ prefix })).map(({ id }) => id);

test('what has expired goes with its events and markers; open jobs and the unexpired stay', async () => {
  const { clock, jobs, retention } = setUp();
  const { now } = { now: clock.time };
  for (const kind of ['model', 'dataset', 'upload']) {
    await keep(jobs, `${kind}/old`, { expiresAt: now });
    await keep(jobs, `${kind}/young`, { expiresAt: now + 1 });
  }
  for (const state of ['succeeded', 'failed', 'cancelled', 'running', 'paused']) {
    await keep(jobs, jobKey(state), { expiresAt: now, createdAt: now }, state);
    await keep(jobs, openKey(state), { owner: 'local' });
    await jobs.append(jobKey(state), { type: 'state', data: {}, at: now });
  }
  await keep(jobs, 'key/k', { expiresAt: 0 });
  const report = (await retention.sweep({ now }))!;
  assert.deepEqual(report.records, {
    job: 3,
    model: 1,
    dataset: 1,
    upload: 1,
    delivery: 0,
    idempotency: 0,
    stage: 0,
    shard: 0,
  });
  assert.deepEqual(await ids(jobs, 'job/'), ['job/paused', 'job/running']);
  assert.deepEqual(await ids(jobs, 'open/'), ['open/paused', 'open/running']);
  assert.deepEqual(await jobs.events(jobKey('failed')), []);
  assert.equal((await jobs.events(jobKey('running'))).length, 1);
  for (const kind of ['model', 'dataset', 'upload'])
    assert.deepEqual(await ids(jobs, `${kind}/`), [`${kind}/young`]);
  assert.ok(await jobs.get('key/k'));
});

test('idempotency keys go after 48 hours, deliveries with their markers after 7 days', async () => {
  const { clock, jobs, pass } = setUp();
  const webhooks = new Webhooks({ jobs, clock, allowPrivate: false });
  await webhooks.create('local', { url: 'https://example.com/' });
  const happening = { job: 'd_1', occurrence: '1.1', at: clock.time, data: {} };
  await webhooks.enqueue('local', 'distillation.failed', happening);
  await idempotentId(jobs, 'local', 'key', {}, 'd_1');
  await pass(48 * HOUR);
  assert.equal((await ids(jobs, 'idempotency/')).length, 1);
  await pass(HOUR);
  assert.equal((await ids(jobs, 'idempotency/')).length, 0);
  await pass(5 * DAY - HOUR);
  assert.equal((await ids(jobs, 'delivery/')).length, 1);
  assert.equal((await ids(jobs, 'due/')).length, 1);
  assert.equal((await pass(HOUR)).records.delivery, 1);
  assert.deepEqual(await ids(jobs, 'delivery/'), []);
  assert.deepEqual(await ids(jobs, 'due/'), []);
  assert.equal((await ids(jobs, 'webhook/')).length, 1);
});

test('intermediate results go 7 days after their last use, never while an older job is open', async () => {
  const { clock, jobs, blobs, pass, retention } = setUp();
  await keep(jobs, 'job/paused', { createdAt: clock.time, expiresAt: null }, 'paused');
  clock.time += DAY;
  const output = await blobs.put(bytes('logits'));
  await (await StageRecord.open(jobs, 'stage/teach/a')).finish({ output });
  await (await StageRecord.open(jobs, 'shard/a/0')).save({ output });
  clock.time += 30 * DAY;
  const kept = (await retention.sweep({ now: clock.time }))!;
  assert.deepEqual([kept.records.stage, kept.records.shard, kept.waiting], [0, 0, 0]);
  await jobs.delete('job/paused');
  assert.equal((await pass(HOUR)).records.stage, 1);
  assert.deepEqual(await ids(jobs, 'shard/'), []);
  assert.equal((await pass(2 * DAY)).bytes, output.bytes);
  assert.equal(await blobs.has(output.hash), false);
});

test('a stage that is used again counts from then; one that is taken at that moment is not finished', async () => {
  const { clock, jobs, blobs } = setUp();
  const output = await blobs.put(bytes('logits'));
  const id = 'stage/teach/a';
  const made = clock.time - 8 * DAY;
  clock.time = made;
  await (await StageRecord.open(jobs, id)).finish({ output });
  clock.time += 8 * DAY;
  assert.deepEqual(await (await StageRecord.open(jobs, id)).output(blobs), { value: { output } });
  const touched = (await jobs.get(id))!;
  assert.equal(touched.updatedAt, clock.time);
  await (await StageRecord.open(jobs, id)).output(blobs);
  assert.equal(
    (await jobs.get(id))!.revision,
    touched.revision,
    `written at most every ${STAGE_TOUCH_MS} ms`,
  );
  const retention = new Retention({ jobs, blobs, clock, rules });
  await retention.sweep({ now: clock.time });
  assert.ok(await jobs.get(id));

  // Both have opened an old record: the sweep, then a job.
  clock.time = made;
  await jobs.put(touched);
  clock.time += 8 * DAY;
  const late = await StageRecord.open(jobs, id);
  await retention.sweep({ now: clock.time });
  assert.equal(await jobs.get(id), undefined);
  assert.equal(await late.output(blobs), undefined);
});

test('a stage that is used while the sweep is about to delete it is kept', async () => {
  const { clock, jobs, blobs, retention } = setUp();
  const output = await blobs.put(bytes('logits'));
  const id = 'stage/teach/a';
  clock.time -= 8 * DAY;
  await (await StageRecord.open(jobs, id)).finish({ output });
  clock.time += 8 * DAY;
  const list = jobs.list.bind(jobs);
  jobs.list = async (filter) => {
    const found = await list(filter);
    if (filter?.prefix === 'stage/') await (await StageRecord.open(jobs, id)).output(blobs);
    return found;
  };
  assert.equal((await retention.sweep({ now: clock.time }))!.records.stage, 0);
  assert.deepEqual(await (await StageRecord.open(jobs, id)).output(blobs), { value: { output } });
});

test('a blob goes when nothing has named it for the grace, and only then', async () => {
  const { clock, jobs, blobs, pass } = setUp();
  const [named, orphan, shared] = [
    await blobs.put(bytes('named')),
    await blobs.put(bytes('orphan')),
    await blobs.put(bytes('shared')),
  ];
  await keep(jobs, 'model/a', { expiresAt: clock.time + 3 * DAY, model: { ...named, name: 'm.onnx' } });
  await keep(jobs, 'model/b', { expiresAt: clock.time + 3 * DAY, model: shared });
  await keep(jobs, 'job/j', { createdAt: clock.time, expiresAt: null, inputs: [{ sha256: shared.hash }] });
  assert.equal((await pass(DAY)).blobs, 0);
  assert.deepEqual(await pass(2 * HOUR), {
    blobs: 1,
    bytes: orphan.bytes,
    records: { job: 0, model: 0, dataset: 0, upload: 0, delivery: 0, idempotency: 0, stage: 0, shard: 0 },
  });
  assert.equal(await blobs.has(orphan.hash), false);
  await pass(2 * DAY);
  assert.deepEqual(await ids(jobs, 'model/'), []);
  assert.ok(await blobs.has(named.hash), 'its grace begins with the end of the model');
  await pass(DAY);
  assert.equal(await blobs.has(named.hash), false);
  assert.ok(await blobs.has(shared.hash));
});

test('a blob that is put again or named again in its grace is kept', async () => {
  const { clock, jobs, blobs, pass } = setUp();
  const again = await blobs.put(bytes('put again'));
  const moved = await blobs.put(bytes('named again'));
  await pass(23 * HOUR);
  await blobs.put(bytes('put again'));
  await keep(jobs, 'upload/u', { expiresAt: clock.time + DAY, file: moved });
  await pass(20 * HOUR);
  assert.ok(await blobs.has(again.hash));
  await pass(10 * HOUR);
  assert.equal(await blobs.has(again.hash), false);
  assert.ok(await blobs.has(moved.hash), 'the count begins anew when the upload has expired');
  await pass(DAY);
  assert.equal(await blobs.has(moved.hash), false);
});

test('a blob that is put while the sweep is about to delete it is kept', async () => {
  const { clock, jobs, blobs, pass } = setUp();
  const { hash } = await blobs.put(bytes('raced'));
  await pass(DAY);
  const list = blobs.list.bind(blobs);
  blobs.list = async function* () {
    for await (const blob of list()) {
      await blobs.put(bytes('raced'));
      yield blob;
    }
  };
  clock.time += HOUR;
  const report = await new Retention({ jobs, blobs, clock, rules }).sweep({ now: clock.time });
  assert.deepEqual([report!.blobs, report!.waiting], [0, 1]);
  assert.ok(await blobs.has(hash));
});

test('a dry run tells what a sweep then does, and changes nothing', async () => {
  const { clock, jobs, blobs, pass, retention } = setUp();
  const { hash } = await blobs.put(bytes('of the job'));
  await pass(2 * DAY);
  assert.equal(await blobs.has(hash), false);
  await blobs.put(bytes('of the job'));
  await keep(
    jobs,
    'job/j',
    { expiresAt: clock.time + DAY, createdAt: 0, artifacts: [{ hash }] },
    'succeeded',
  );
  clock.time += DAY;
  const before = JSON.stringify((await jobs.list()).filter(({ id }) => !id.startsWith('lease/')));
  const dry = await retention.sweep({ now: clock.time, dryRun: true });
  assert.equal(JSON.stringify((await jobs.list()).filter(({ id }) => !id.startsWith('lease/'))), before);
  assert.deepEqual([dry!.records.job, dry!.waiting], [1, 1]);
  assert.deepEqual(await retention.sweep({ now: clock.time }), dry);
  assert.equal(await jobs.get('job/j'), undefined);
});

test('two sweeps at once: one works, the other does nothing', async () => {
  const { clock, jobs, blobs, retention } = setUp();
  await keep(jobs, 'model/old', { expiresAt: 0 });
  const other = new Retention({ jobs, blobs, clock, rules });
  const sweeps = await Promise.all([retention, other].map((each) => each.sweep({ now: clock.time })));
  assert.equal(sweeps.filter((report) => report === undefined).length, 1);
  assert.ok(await Lease.acquire('sweep', 1, { jobs, clock }), 'the lease is free afterwards');
});

test('every string that could be a hash counts, however deep, as value or key', () => {
  const hash = (digit: string) => digit.repeat(64);
  const value = {
    a: [{ sha256: hash('a') }],
    b: { c: hash('b'), [hash('c')]: 1 },
    d: hash('A'),
    e: `${hash('e')}0`,
  };
  assert.deepEqual([...hashesIn(value)].sort(), [hash('a'), hash('b'), hash('c')]);
  assert.deepEqual([...hashesIn(null), ...hashesIn(3), ...hashesIn('x')], []);
});

test('a real job and its real files: kept while it is kept, gone with it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-sweep-'));
  try {
    const jobs = new FsJobs(root);
    const blobs: BlobStore = new FsBlobs(root);
    const made = memoryService({ jobs });
    made.clock.time = Date.now();
    const teacher = { name: 'teacher.onnx', ...(await blobs.put(bytes('teacher'))) };
    const job = await made.service.create(someDraft({ inputs: { teacher, companions: [], data: [] } }));
    await made.service.cancel(job.id);
    const retention = new Retention({ jobs, blobs, clock: made.clock, rules: { ...rules, graceMs: HOUR } });
    const sweepAfter = async (milliseconds: number) => {
      made.clock.time += milliseconds;
      return (await retention.sweep({ now: made.clock.time }))!;
    };
    assert.deepEqual((await sweepAfter(23 * HOUR)).records.job, 0);
    const expired = await sweepAfter(2 * HOUR);
    assert.deepEqual([expired.records.job, expired.blobs, expired.waiting], [1, 0, 1]);
    const swept = await sweepAfter(2 * HOUR);
    assert.deepEqual([swept.blobs, swept.bytes], [1, 7]);
    assert.equal(await blobs.has(teacher.hash), false);
    assert.deepEqual(await ids(jobs, 'job/'), []);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
