import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobBench, longSpec } from '../support/job-bench.ts';
import { noRedis } from '../support/redis.ts';
import { fill, noDisk, onSmallDisk, unfill } from '../support/small-disk.ts';
import { tinySpec } from '../support/tiny-job.ts';

test(
  'a full disk in the middle of training costs neither the job nor its checkpoints',
  {
    skip: noRedis ?? noDisk ?? false,
  },
  () =>
    onSmallDisk(64, async (folder) => {
      const bench = await JobBench.open(folder);
      try {
        const worker = await bench.worker();
        const job = await bench.create(longSpec(21));
        // A checkpoint every 2,000 steps.
        await bench.until(job.id, ({ progress }) => (progress?.done ?? 0) > 2500, 90);
        await fill(folder, 0);
        // The worker in the middle of a write may free some pages once more.
        const creates = async (): Promise<void> => {
          for (let tries = 0; tries < 50; tries++) await bench.create(tinySpec({ seed: 22 }));
        };
        await assert.rejects(creates(), { code: 'STORE_FULL' });
        // Long enough for the attempt to fail, and for others to be tried in vain.
        await sleep(12_000);
        assert.equal(worker.child.exitCode, null, 'the worker has ended');
        assert.ok(!['failed', 'cancelled'].includes((await bench.jobs.get(job.id)).state));
        await unfill(folder);
        const before = (await bench.jobs.get(job.id)).attempt;
        await bench.until(
          job.id,
          ({ attempt, progress }) => attempt >= Math.max(2, before) && progress?.stage === 'train',
          90,
        );
        assert.ok((await bench.jobs.get(job.id)).progress!.done >= 2000, 'the checkpoint was lost');
        await bench.jobs.cancel(job.id);
        await bench.until(job.id, ({ state }) => state === 'cancelled', 5);
        const accepted = await bench.create(tinySpec({ seed: 22 }));
        await bench.until(accepted.id, ({ state }) => state === 'succeeded', 90);
      } finally {
        await bench.close();
      }
    }),
);
