import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { runJourney } from '../../src/pipeline/run.ts';
import { isTerminal, type JobRecord } from '../../src/service/job.ts';
import { someOptions } from '../support/job-draft.ts';
import { type SharedService, sharedService, type TestWorker, until } from '../support/shared-service.ts';
import { slowTeacher } from '../support/slow-teacher.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** 64 augmented epochs: 65 shards with the validation rows. */
const spec = tinySpec({
  controls: false,
  train: { epochs: 64, batchSize: 64, threads: 1, augment: [{ name: 'translate' }] },
});
let service: SharedService;
let workers: TestWorker[];
let expected: unknown;

before(async () => {
  const request = { ...tinyRequest(spec, slowTeacher()), until: 'teach' } as const;
  expected = (await runJourney(request, memoryTools())).teach;
  service = await sharedService(slowTeacher(), {
    RETORT_FAN_OUT_SECONDS: '0',
    RETORT_SLOTS_CPU: '1',
    RETORT_LOG_LEVEL: 'info',
  });
  workers = [await service.startWorker(), await service.startWorker()];
});
after(() => service.stop());

/** The teacher is asked anew in every test; all other stages are found finished after the first. */
beforeEach(async () => {
  for (const prefix of ['shard/', 'stage/teach/'])
    for (const { id } of await service.jobs.list({ prefix })) await service.jobs.delete(id);
});

const start = (): Promise<JobRecord> =>
  service.service.create({ owner: 'local', inputs: service.inputs, requested: spec, options: someOptions });

/** The job once it waits and its helpers have made some shards. */
const shared = (id: string): Promise<JobRecord> =>
  until('helpers at work', async () => {
    const job = await service.service.get(id);
    assert.ok(!isTerminal(job.state), `the job ended too soon: ${job.state}`);
    return job.fanOut?.groups.some(({ done }) => done > 0) && job;
  });

const succeeded = async (id: string): Promise<JobRecord> => {
  const job = await until('the end of the job', async () => {
    const now = await service.service.get(id);
    return isTerminal(now.state) && now;
  });
  assert.deepEqual([job.state, job.error, job.fanOut], ['succeeded', null, null]);
  const [teach, ...others] = await service.jobs.list({ prefix: 'stage/teach/' });
  assert.deepEqual([teach?.value, others], [expected, []]);
  const shards = await service.jobs.list({ prefix: 'shard/' });
  assert.equal(shards.length, 65);
  assert.ok(
    shards.every(({ revision }) => revision === 1),
    'no shard was kept twice',
  );
  return job;
};

/** What Redis holds of a job. */
const entriesOf = (id: string): string => service.redis('keys', `*${id}*`);
const count = ({ log }: TestWorker, id: string, msg: string): number =>
  log.filter((line) => line.job === id && line.msg === msg).length;

test('two workers make the shards of one job, with the same logits as one process, and its slot is free meanwhile', async () => {
  const { id } = await start();
  const waiting = await shared(id);
  assert.deepEqual([waiting.state, waiting.worker, waiting.progress?.stage], ['running', null, 'teach']);
  assert.ok(waiting.progress!.done > waiting.fanOut!.before);
  const job = await succeeded(id);
  assert.deepEqual([job.attempt, job.dispatch, job.crashes], [2, 1, 0]);
  assert.deepEqual(
    workers.map((worker) => count(worker, id, 'help ended')),
    [1, 1],
  );
  await until('an empty queue', async () => entriesOf(id) === '');
});

test('a cancel in the middle ends every process within 3 s and leaves nothing in the queue', async () => {
  const { id } = await start();
  await shared(id);
  assert.deepEqual(
    workers.map((worker) => worker.children().length),
    [1, 1],
  );
  const asked = Date.now();
  assert.equal((await service.service.cancel(id)).state, 'cancelled');
  await until('no process at work', async () => workers.every((worker) => worker.children().length === 0));
  const took = Date.now() - asked;
  assert.ok(took < 3000, `${took} ms`);
  await until('an empty queue', async () => entriesOf(id) === '', 3000);
  assert.equal((await service.service.get(id)).attempt, 1);
});

test('a job paused while it waits stops its helpers; resumed, it goes on from their shards', async () => {
  const { id } = await start();
  await shared(id);
  assert.equal((await service.service.pause(id)).state, 'paused');
  await until(
    'no process at work',
    async () => workers.every((worker) => worker.children().length === 0),
    3000,
  );
  const made = (await service.jobs.list({ prefix: 'shard/' })).length;
  assert.ok(made > 1 && made < 65, `${made} shards`);
  await service.service.resume(id);
  assert.equal((await succeeded(id)).dispatch, 2);
});

test('a queue that loses its memory while a job waits is filled again, and no crash is counted', async () => {
  const { id } = await start();
  await shared(id);
  service.redis('flushall');
  const job = await succeeded(id);
  assert.deepEqual([job.crashes, job.dispatch], [0, 1]);
  await until('an empty queue', async () => entriesOf(id) === '');
});

test('a worker that is told to stop hands its group back at once', async () => {
  const third = await service.startWorker();
  const { id } = await start();
  await shared(id);
  const leaving = workers.find((worker) => count(worker, id, 'help begins') > 0)!;
  const told = Date.now();
  leaving.process.kill('SIGTERM');
  await once(leaving.process, 'exit');
  assert.ok(Date.now() - told < 5000);
  assert.equal(leaving.log.at(-1)?.ending, 'stopped');
  workers = [...workers.filter((worker) => worker !== leaving), third];
  await succeeded(id);
  const begun = workers.reduce((sum, worker) => sum + count(worker, id, 'help begins'), 0);
  assert.ok(begun >= 3, `${begun}`);
});

test('a worker killed in the middle costs time only: its group goes to another', async () => {
  const { id } = await start();
  await shared(id);
  const victim = workers.find(
    (worker) => count(worker, id, 'help begins') > count(worker, id, 'help ended'),
  )!;
  const [child] = victim.children();
  victim.process.kill('SIGKILL');
  await once(victim.process, 'exit');
  // The child sees that nobody listens any more.
  await until('the end of its child', async () => !isAlive(child!), 3000);
  const job = await succeeded(id);
  assert.deepEqual([job.attempt, job.crashes], [2, 0]);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
