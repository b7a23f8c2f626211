import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStores } from '../../src/adapters/storage/index.ts';
import { readConfig } from '../../src/config.ts';
import { JobBench } from '../support/job-bench.ts';
import { noRedis } from '../support/redis.ts';
import { s3Server } from '../support/s3-server.ts';
import { tinySpec } from '../support/tiny-job.ts';

test('API and worker that share no disk run a job through a bucket', { skip: noRedis ?? false }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'retort-s3-job-'));
  const s3 = await s3Server(join(folder, 'server'));
  const { bucket, endpoint, region } = s3.place;
  const settings = {
    RETORT_STORAGE: 's3',
    RETORT_S3_BUCKET: bucket,
    RETORT_S3_ENDPOINT: endpoint,
    RETORT_S3_REGION: region,
    RETORT_S3_PREFIX: 'somewhere/',
  };
  try {
    const bench = await JobBench.open(undefined, settings);
    try {
      await bench.worker({ ...settings, RETORT_DATA: join(folder, 'disk-of-the-worker') });
      const job = await bench.create(tinySpec({ controls: false, train: { epochs: 1, batchSize: 16 } }));
      await bench.until(job.id, ({ state }) => state === 'succeeded', 120);
      const { artifacts } = await bench.jobs.get(job.id);
      const elsewhere = join(folder, 'disk-of-a-third');
      const { blobs } = await openStores(readConfig({ ...settings, RETORT_DATA: elsewhere }));
      for (const { name, hash } of artifacts) {
        const bytes = await blobs.get(hash);
        assert.equal(createHash('sha256').update(bytes).digest('hex'), hash, name);
      }
      const events = await bench.jobs.events(job.id);
      assert.deepEqual(
        events.map(({ id }) => id),
        events.map((_, i) => i + 1),
      );
    } finally {
      await bench.close();
    }
  } finally {
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  }
});
