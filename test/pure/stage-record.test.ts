import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { parseStored } from '../../src/adapters/storage/parse-stored.ts';
import { RetortError } from '../../src/errors.ts';
import { StageRecord } from '../../src/pipeline/stage-record.ts';

const ID = 'stage/train/key';

/** Two attempts that have opened the record of the same stage. */
async function pair() {
  const jobs = new MemoryJobs();
  return { jobs, a: await StageRecord.open(jobs, ID), b: await StageRecord.open(jobs, ID) };
}

test('two writers of one stage save in turns, and the later value stands', async () => {
  const { jobs, a, b } = await pair();
  for (let step = 1; step <= 5; step++) {
    await a.save({ by: 'a', step });
    await b.save({ by: 'b', step });
    assert.deepEqual(await (await StageRecord.open(jobs, ID)).load(), { by: 'b', step });
  }
  await a.finish({ by: 'a' });
  assert.equal((await jobs.get(ID))?.state, 'done');
});

test('two writers that save at the same moment both get through', async () => {
  const { jobs, a, b } = await pair();
  await Promise.all([1, 2, 3, 4, 5].flatMap((step) => [a.save({ step }), b.save({ step })]));
  assert.equal((await jobs.get(ID))?.state, 'partial');
});

test('what one writer has finished, the other neither replaces nor unfinishes', async () => {
  const { jobs, a, b } = await pair();
  await a.save({ by: 'a' });
  await a.finish({ by: 'a' });
  const done = await jobs.get(ID);
  await b.save({ by: 'b', step: 1 });
  await b.save({ by: 'b', step: 2 });
  await b.finish({ by: 'b' });
  assert.deepEqual(await jobs.get(ID), done);
  assert.deepEqual(await b.output(new MemoryBlobs()), { value: { by: 'a' } });
});

test('a finished stage whose blobs are gone is done again over its record', async () => {
  const jobs = new MemoryJobs();
  const blobs = new MemoryBlobs();
  const ref = await blobs.put(new Uint8Array([1]));
  await (await StageRecord.open(jobs, ID)).finish({ model: ref });
  await blobs.delete(ref.hash);
  const again = await StageRecord.open(jobs, ID);
  assert.equal(await again.output(blobs), undefined);
  await again.save({ half: true });
  await again.finish({ model: await blobs.put(new Uint8Array([1])) });
  assert.ok(await (await StageRecord.open(jobs, ID)).output(blobs));
});

test('a record that was swept meanwhile is written anew', async () => {
  const { jobs, a } = await pair();
  await a.save({ step: 1 });
  await jobs.delete(ID);
  await a.save({ step: 2 });
  assert.deepEqual((await jobs.get(ID))?.value, { step: 2 });
});

test('a record that never stands still is given up, and other errors are not repeated', async () => {
  const counting = (code: 'STORE_CONFLICT' | 'STORE_FULL') => {
    const jobs = new MemoryJobs();
    let puts = 0;
    jobs.put = async () => {
      puts++;
      throw new RetortError(code, 'refused');
    };
    return { jobs, puts: () => puts };
  };
  for (const [code, atMost] of [
    ['STORE_CONFLICT', 50],
    ['STORE_FULL', 1],
  ] as const) {
    const { jobs, puts } = counting(code);
    const record = await StageRecord.open(jobs, ID);
    await assert.rejects(record.save(1), (error) => error instanceof RetortError && error.code === code);
    assert.ok(puts() >= 1 && puts() <= atMost, `${puts()} writes`);
  }
});

test('a damaged record of work says how the work is done again; of others nothing may be removed', () => {
  const refused = (id: string, hint: RegExp) =>
    assert.throws(
      () => parseStored('{"x', id),
      ({ code, hint: said = '' }: RetortError) => code === 'STORE_CORRUPT' && hint.test(said),
    );
  refused('stage/inspect/00', /Remove that record/);
  refused('job/d_1', /^$/);
});
