import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { PRESENCE_KEY } from '../../src/adapters/queue/queue-names.ts';
import { FsBlobs } from '../../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../../src/adapters/storage/fs-jobs.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { isTerminal, type JobInputs, type JobRecord } from '../../src/service/jobs/job.ts';
import { attemptsOf, isAlive, JobBench, type WorkerProcess } from '../support/job-bench.ts';
import { someOptions } from '../support/job-draft.ts';
import { noRedis } from '../support/redis.ts';
import { slowTeacher } from '../support/slow-teacher.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';
import { until } from '../support/until.ts';

/** A job whose shards are made by several workers, on real processes and a real Redis (docs/adr/0007). */

const options = { skip: noRedis ?? false };
/** 64 augmented epochs: 65 shards with the validation rows. */
const SHARDS = 65;
const spec = tinySpec({
  controls: false,
  train: { epochs: SHARDS - 1, batchSize: 64, threads: 1, augment: [{ name: 'translate' }] },
});
const request = { ...tinyRequest(spec, slowTeacher()), until: 'teach' } as const;

interface Helper extends WorkerProcess {
  readonly log: readonly { readonly msg: string; readonly [field: string]: unknown }[];
}

let bench: JobBench;
let store: FsJobs;
let inputs: JobInputs;
let workers: Helper[] = [];
/** What one process makes of it. */
let expected: unknown;

before(async () => {
  if (noRedis) return;
  expected = (await runJourney(request, memoryTools())).teach;
  bench = await JobBench.open();
  store = new FsJobs(bench.folder);
  const teacher = { name: 'teacher.onnx', ...(await new FsBlobs(bench.folder).put(slowTeacher())) };
  inputs = { ...bench.inputs, teacher };
  workers = [await helper(), await helper()];
});
after(() => bench?.close());

/** The teacher is asked anew in every test; all other stages are found finished after the first. */
beforeEach(async () => {
  for (const prefix of ['shard/', 'stage/teach/'])
    for (const { id } of (await store?.list({ prefix })) ?? []) await store.delete(id);
});

/** A worker with one slot that shares whatever it can. */
async function helper(): Promise<Helper> {
  const settings = { RETORT_FAN_OUT_SECONDS: '0', RETORT_SLOTS_CPU: '1', RETORT_LOG_LEVEL: 'info' };
  const worker = await bench.worker(settings);
  const log: Helper['log'][number][] = [];
  let rest = '';
  worker.child.stdout!.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    for (const line of lines.filter((text) => text.startsWith('{'))) log.push(JSON.parse(line));
  });
  return { ...worker, log };
}

const count = ({ log }: Helper, id: string, msg: string): number =>
  log.filter((line) => line.job === id && line.msg === msg).length;

/** Work is shared with workers that have shown themselves, and after FLUSHALL they do so within seconds. */
const present = async (): Promise<boolean> => (await bench.redis.client.zcard(PRESENCE_KEY)) >= 2;

/** A job whose helpers have begun and made some shards: seen in the store, for what the record says comes later. */
async function shared(): Promise<JobRecord> {
  await until('two workers that show themselves', present, 30_000);
  const { requested } = request;
  const { id } = await bench.jobs.create({ owner: 'local', inputs, requested, options: someOptions });
  await bench.until(id, ({ fanOut }) => fanOut !== null, 60);
  const before = await shards();
  await until('a shard of a helper', async () => (await shards()) > before, 30_000);
  return bench.jobs.get(id);
}

const shards = async (): Promise<number> => (await store.list({ prefix: 'shard/' })).length;

/** A worker in the middle of its group. */
function helping(id: string): Helper {
  const found = workers.find((worker) => count(worker, id, 'help begins') > count(worker, id, 'help ended'));
  assert.ok(found, 'no worker helps');
  return found;
}

/** Waits for the end; the shards are those of one process, and none was made twice. */
async function succeeded(id: string): Promise<JobRecord> {
  await bench.until(id, ({ state }) => isTerminal(state), 90);
  const job = await bench.jobs.get(id);
  assert.deepEqual([job.state, job.error, job.fanOut], ['succeeded', null, null]);
  const stages = await store.list({ prefix: 'stage/teach/' });
  assert.deepEqual(
    stages.map(({ value }) => value),
    [expected],
  );
  const made = await store.list({ prefix: 'shard/' });
  assert.deepEqual([made.length, made.filter(({ revision }) => revision > 1)], [SHARDS, []]);
  return job;
}

const idle = async (): Promise<boolean> =>
  (await Promise.all(workers.map(({ child }) => attemptsOf(child.pid!)))).flat().length === 0;
const gone = (id: string) => async (): Promise<boolean> =>
  (await bench.redis.client.keys(`*${id}*`)).length === 0;

test('two workers make the shards of one job, the same as one process would', options, async () => {
  const { id } = await shared();
  await bench.until(id, ({ fanOut }) => fanOut?.groups.some(({ done }) => done > 0) ?? false);
  const waiting = await bench.jobs.get(id);
  assert.deepEqual([waiting.state, waiting.worker, waiting.progress?.stage], ['running', null, 'teach']);
  assert.ok(waiting.progress!.done > waiting.fanOut!.before);
  const job = await succeeded(id);
  assert.deepEqual([job.attempt, job.dispatch, job.crashes], [2, 1, 0]);
  assert.deepEqual(
    workers.map((worker) => count(worker, job.id, 'help ended')),
    [1, 1],
  );
  await until('an empty queue', gone(job.id), 30_000);
});

test('P6: a cancel while helpers work stops them all within 3 s, and their entries go', options, async () => {
  const { id } = await shared();
  const asked = performance.now();
  assert.equal((await bench.jobs.cancel(id)).state, 'cancelled');
  await until('no process at work', idle, 3000);
  console.log(`stopped ${Math.round(performance.now() - asked)} ms after the cancel`);
  await until('an empty queue', gone(id), 30_000);
  const job = await bench.jobs.get(id);
  assert.deepEqual([job.state, job.attempt, job.fanOut], ['cancelled', 1, null]);
});

test(
  'a pause while helpers work stops them; resumed, the job goes on from their shards',
  options,
  async () => {
    const { id } = await shared();
    assert.equal((await bench.jobs.pause(id)).state, 'paused');
    await until('no process at work', idle, 30_000);
    const made = await shards();
    assert.ok(made > 1 && made < SHARDS, `${made} shards`);
    await bench.jobs.resume(id);
    assert.equal((await succeeded(id)).dispatch, 2);
  },
);

test('FLUSHALL while helpers work: the job is put back, and that is no crash', options, async () => {
  const { id } = await shared();
  await bench.redis.client.flushall();
  const job = await succeeded(id);
  assert.deepEqual([job.crashes, job.failures, job.dispatch], [0, 0, 1]);
  await until('an empty queue', gone(id), 30_000);
});

test(
  'a helper whose process dies does not fail the job: what is missing is made all the same',
  options,
  async () => {
    const { id } = await shared();
    const victim = helping(id);
    const [child] = await attemptsOf(victim.child.pid!);
    process.kill(child!, 'SIGKILL');
    const job = await succeeded(id);
    assert.deepEqual([job.crashes, job.failures, job.dispatch], [0, 0, 1]);
    assert.equal(count(victim, id, 'a helper crashed'), 1);
  },
);

test('P5: a helper that is told to stop hands its group back at once', options, async () => {
  const third = await helper();
  const { id } = await shared();
  const leaving = helping(id);
  const told = performance.now();
  leaving.drain();
  assert.equal(await leaving.ended, 0);
  assert.ok(performance.now() - told < 5000);
  assert.equal(leaving.log.findLast(({ msg }) => msg === 'help ended')?.ending, 'stopped');
  workers = [...workers.filter((worker) => worker !== leaving), third];
  const job = await succeeded(id);
  assert.deepEqual([job.attempt, job.crashes], [2, 0]);
});

test('P4: a helper killed in the middle costs time only: its group goes to another', options, async () => {
  const { id } = await shared();
  const victim = helping(id);
  const [orphan] = await attemptsOf(victim.child.pid!);
  victim.kill();
  await victim.ended;
  await until('the end of its child', async () => !(await isAlive(orphan!)), 30_000);
  const job = await succeeded(id);
  assert.deepEqual([job.attempt, job.crashes], [2, 0]);
});
