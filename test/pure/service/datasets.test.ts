import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import { Datasets } from '../../../src/service/files/datasets.ts';
import { fakeSandbox } from '../../support/api-server.ts';
import { ManualClock } from '../../support/job-draft.ts';

test('a dataset whose inspection ends while it is read is not inspected again', async () => {
  const jobs = new MemoryJobs();
  let looks = 0;
  let finish = (): void => {};
  const datasets = new Datasets({
    jobs,
    clock: new ManualClock(),
    sandbox: {
      ...fakeSandbox,
      inspectDataset: ({ signal }) => {
        looks++;
        return new Promise((resolve, reject) => {
          finish = () => resolve({ rows: 1 } as never);
          signal!.addEventListener('abort', () => reject(new Error('stopped')));
        });
      },
    },
    retainMs: 1000,
    onTrouble: (error) => assert.fail(String(error)),
  });
  const { id } = await datasets.create({ owner: 'local', data: [], format: null });
  while (looks === 0) await new Promise(setImmediate);
  const get = jobs.get.bind(jobs);
  jobs.get = async (key) => {
    jobs.get = get;
    const read = await get(key);
    finish();
    await datasets.settled(id, 10_000);
    return read;
  };
  await datasets.get(id);
  await datasets.close();
  assert.deepEqual([looks, (await datasets.get(id)).state], [1, 'ready']);
});
