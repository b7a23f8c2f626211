import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRecord } from '../../src/service/jobs/job.ts';
import { checkEvents } from '../support/check-events.ts';
import { attemptsOf, isAlive, JobBench, longSpec } from '../support/job-bench.ts';
import { noRedis } from '../support/redis.ts';
import { tinySpec } from '../support/tiny-job.ts';

/** DESIGN's promises about jobs, on real processes and a real Redis. */

const options = { skip: noRedis ?? false };
let bench: JobBench;
before(async () => {
  if (!noRedis) bench = await JobBench.open();
});
after(() => bench?.close());

const isRunning = (job: JobRecord): boolean => job.state === 'running';

test('a job goes from queued to succeeded, with one artifact set and gap-free events', options, async () => {
  const worker = await bench.worker();
  const job = await bench.create(tinySpec());
  await bench.until(job.id, ({ state }) => state === 'succeeded', 60);
  const { artifacts, resolved, attempt } = await bench.jobs.get(job.id);
  assert.ok(artifacts.some(({ name }) => name === 'student.onnx'));
  assert.equal(new Set(artifacts.map(({ name }) => name)).size, artifacts.length);
  assert.match(resolved!.train.kernel, /^(onnxruntime|tfjs)$/);
  assert.ok(resolved!.train.kernelReason);
  assert.equal(attempt, 1);
  await checkEvents(bench, job.id);
  worker.drain();
  assert.equal(await worker.ended, 0);
});

test('P6: cancel stops the processor within 3 s, in training and while queued', options, async () => {
  const worker = await bench.worker();
  const [job, waiting] = [await bench.create(longSpec(1)), await bench.create(longSpec(2))];
  await bench.training(job.id);
  await bench.jobs.cancel(waiting.id);
  assert.equal((await bench.jobs.get(waiting.id)).state, 'cancelled');
  const [pid] = await attemptsOf(worker.child.pid!);
  const started = performance.now();
  await bench.jobs.cancel(job.id);
  await bench.until(job.id, ({ state }) => state === 'cancelled', 3);
  while (await isAlive(pid!)) await sleep(10);
  assert.ok(
    performance.now() - started < 3000,
    `process ${pid} ended after ${performance.now() - started} ms`,
  );
  for (const { id } of [job, waiting]) await checkEvents(bench, id);
  worker.drain();
  await worker.ended;
});

test('pause keeps the work and frees the slot; resume goes on from it', options, async () => {
  const worker = await bench.worker();
  const job = await bench.create(longSpec(3));
  await bench.training(job.id);
  await sleep(1500);
  await bench.jobs.pause(job.id);
  await bench.until(job.id, ({ state }) => state === 'paused', 10);
  const { done } = (await bench.jobs.get(job.id)).progress!;
  const other = await bench.create(tinySpec({ seed: 3 }));
  await bench.until(other.id, ({ state }) => state === 'succeeded', 60);
  await bench.jobs.resume(job.id);
  await bench.training(job.id, 2);
  assert.ok((await bench.jobs.get(job.id)).progress!.done >= done, 'steps were lost');
  await bench.jobs.cancel(job.id);
  await bench.until(job.id, ({ state }) => state === 'cancelled', 30);
  worker.drain();
  await worker.ended;
});

test('kill -9 of the child: the same worker goes on from the last checkpoint', options, async () => {
  const worker = await bench.worker();
  const job = await bench.create(longSpec(4));
  await bench.training(job.id);
  // A checkpoint every 2,000 steps.
  await bench.until(job.id, ({ progress }) => (progress?.done ?? 0) > 2500, 60);
  const [pid] = await attemptsOf(worker.child.pid!);
  process.kill(pid!, 'SIGKILL');
  const waited = await bench.training(job.id, 2);
  assert.ok(waited < 40_000, `${waited} ms`);
  assert.ok((await bench.jobs.get(job.id)).progress!.done >= 2000);
  await bench.jobs.cancel(job.id);
  await bench.until(job.id, ({ state }) => state === 'cancelled', 30);
  worker.drain();
  await worker.ended;
});

test('P4: kill -9 of the supervisor: another goes on within 40 s, the orphan stops', options, async () => {
  const [first, job] = [await bench.worker(), await bench.create(longSpec(5))];
  await bench.training(job.id);
  const [orphan] = await attemptsOf(first.child.pid!);
  const second = await bench.worker();
  const started = performance.now();
  first.kill();
  await first.ended;
  while (await isAlive(orphan!)) await sleep(10);
  const orphaned = performance.now() - started;
  assert.ok(orphaned < 3000, `the orphan went on for ${orphaned} ms`);
  await bench.until(job.id, (now) => isRunning(now) && now.attempt === 2, 40);
  const waited = performance.now() - started;
  console.log(`recovered ${Math.round(waited)} ms after kill -9`);
  assert.ok(waited < 40_000, `${waited} ms`);
  await bench.training(job.id, 2);
  await bench.jobs.cancel(job.id);
  await bench.until(job.id, ({ state }) => state === 'cancelled', 30);
  second.drain();
  await second.ended;
});

test('P5: SIGTERM hands a job over within 5 s, and no step is lost', options, async () => {
  const [first, job] = [await bench.worker(), await bench.create(longSpec(6))];
  await bench.training(job.id);
  await sleep(1500);
  const second = await bench.worker();
  const { done } = (await bench.jobs.get(job.id)).progress!;
  first.drain();
  const waited = await bench.until(job.id, (now) => isRunning(now) && now.attempt === 2, 5);
  console.log(`handed over ${Math.round(waited)} ms after SIGTERM`);
  assert.equal(await first.ended, 0);
  await bench.training(job.id, 2);
  const now = await bench.jobs.get(job.id);
  assert.ok(now.progress!.done >= done, `${now.progress!.done} steps, before ${done}`);
  assert.deepEqual([now.crashes, now.failures], [0, 0]);
  await bench.jobs.cancel(job.id);
  await bench.until(job.id, ({ state }) => state === 'cancelled', 30);
  second.drain();
  await second.ended;
});

test('FLUSHALL loses nothing: open jobs are put back, running ones go on', options, async () => {
  const worker = await bench.worker();
  const running = await bench.create(longSpec(7));
  await bench.training(running.id);
  const waiting = await bench.create(tinySpec({ seed: 7 }));
  await bench.redis.client.flushall();
  await bench.jobs.cancel(running.id);
  await bench.until(running.id, ({ state }) => state === 'cancelled', 30);
  await bench.until(waiting.id, ({ state }) => state === 'succeeded', 90);
  for (const { id } of [running, waiting]) await checkEvents(bench, id);
  worker.drain();
  await worker.ended;
});

test('kill -9 of Redis: accepted jobs are finished when it is back', options, async () => {
  const worker = await bench.worker();
  const running = await bench.create(longSpec(8));
  await bench.training(running.id);
  await bench.redis.kill();
  const accepted = await bench.create(tinySpec({ seed: 8 }));
  await sleep(1000);
  await bench.redis.start();
  await bench.jobs.cancel(running.id);
  await bench.until(running.id, ({ state }) => state === 'cancelled', 10);
  await bench.until(accepted.id, ({ state }) => state === 'succeeded', 90);
  worker.drain();
  await worker.ended;
});

test('a Redis that stands still for 8 s is not noticed', options, async () => {
  const worker = await bench.worker();
  const job = await bench.create(longSpec(9));
  await bench.training(job.id);
  bench.redis.signal('SIGSTOP');
  await sleep(8000);
  bench.redis.signal('SIGCONT');
  await sleep(3000);
  const now = await bench.jobs.get(job.id);
  assert.deepEqual([now.state, now.attempt], ['running', 1]);
  await bench.jobs.cancel(job.id);
  await bench.until(job.id, ({ state }) => state === 'cancelled', 30);
  worker.drain();
  await worker.ended;
});
