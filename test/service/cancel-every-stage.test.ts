import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openService, type Service } from '../../src/adapters/open-service.ts';
import { BullConsumer } from '../../src/adapters/queue/bullmq-consumer.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { journey } from '../../src/pipeline/journey.ts';
import type { JobRecord } from '../../src/service/jobs/job.ts';
import { JobRecords } from '../../src/service/jobs/job-records.ts';
import { Supervisor } from '../../workers/supervisor.ts';
import { checkEvents } from '../support/check-events.ts';
import { attemptsOf, JobBench } from '../support/job-bench.ts';
import { noRedis } from '../support/redis.ts';
import { tinySpec } from '../support/tiny-job.ts';

/** P6 in each stage: the cancel comes in the very moment in which the record says that the stage has begun. */

const options = { skip: noRedis ?? false };
let bench: JobBench;
let service: Service;
let supervisor: Supervisor;
let cancelIn = '';

before(async () => {
  if (noRedis) return;
  bench = await JobBench.open();
  const config = readConfig({ RETORT_DATA: bench.folder, RETORT_LOG_LEVEL: 'silent' });
  service = await openService(config, bench.redis.url);
  const { jobs, notifier, dispatcher } = service;
  const records = new CancellingRecords({ jobs, notifier, clock: systemClock, onState: async () => {} });
  const name = 'test:1';
  const presence = { name, slots: { cpu: 1 } };
  const log = createLog(config.RETORT_LOG_LEVEL, 'worker');
  const consumer = new BullConsumer({ url: bench.redis.url, presence, onTrouble: () => {} });
  const tools = { records, dispatcher, notifier, consumer, config, log, name };
  supervisor = new Supervisor({ ...tools, clock: systemClock, crashBudget: config.RETORT_CRASH_BUDGET });
  supervisor.start();
});
after(async () => {
  await supervisor?.drain();
  await service?.close();
  await bench?.close();
});

class CancellingRecords extends JobRecords {
  override async update(id: string, change: (job: JobRecord) => JobRecord): Promise<JobRecord> {
    const job = await super.update(id, change);
    if (job.state === 'running' && job.stages.at(-1)?.name === cancelIn) await bench.jobs.cancel(id);
    return job;
  }
}

for (const [i, { name }] of journey.entries()) {
  test(`a cancel in the stage "${name}" ends the job and its process within 3 s`, options, async () => {
    cancelIn = name;
    const { id } = await bench.create(tinySpec({ seed: i }));
    await bench.until(id, ({ state }) => state === 'cancelling' || state === 'cancelled', 60);
    const asked = performance.now();
    await bench.until(id, ({ state }) => state === 'cancelled', 3);
    while ((await attemptsOf(process.pid)).length > 0) {
      assert.ok(performance.now() - asked < 3000, 'its process is still there');
      await sleep(10);
    }
    const { stages, artifacts, error, worker } = await bench.jobs.get(id);
    // The process may have gone on a little before it was told.
    assert.ok(stages.some((stage) => stage.name === name));
    assert.deepEqual([artifacts, error, worker], [[], null, null]);
    await checkEvents(bench, id);
  });
}

test('what was cancelled leaves nothing in the way of the same job again', options, async () => {
  cancelIn = '';
  const { id } = await bench.create(tinySpec({ seed: journey.length - 1 }));
  await bench.until(id, ({ state }) => state === 'succeeded', 60);
  assert.ok((await bench.jobs.get(id)).artifacts.some(({ name }) => name === 'student.onnx'));
});
