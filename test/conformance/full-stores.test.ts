import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlobCache } from '../../src/adapters/storage/blob-cache.ts';
import { fsStores, type Stores } from '../../src/adapters/storage/fs-stores.ts';
import { fill, noDisk, onSmallDisk, unfill } from '../support/small-disk.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const event = (data: unknown) => ({ type: 't', data, at: 1 });

/** Runs `body` on a disk of 1 MiB. */
const onFullDisk = (body: (root: string, stores: Stores) => Promise<void>): Promise<void> =>
  onSmallDisk(1, (root) => body(root, fsStores(root)));

async function* endless() {
  for (;;) yield new Uint8Array(64 * 1024);
}

test('a blob that does not fit is STORE_FULL and leaves nothing', { skip: noDisk }, async () => {
  await onFullDisk(async (root, { blobs }) => {
    const { hash } = await blobs.put(Buffer.from('small'));
    await assert.rejects(blobs.put(endless()), code('STORE_FULL'));
    await assert.rejects(new BlobCache(root, 2 ** 20).add(endless()), code('STORE_FULL'));
    assert.deepEqual(await readdir(join(root, 'incoming')), []);
    assert.equal(Buffer.from(await blobs.get(hash)).toString(), 'small');
    await blobs.put(new Uint8Array(512 * 1024));
  });
});

test('a record that does not fit is STORE_FULL; the one before it stays', { skip: noDisk }, async () => {
  await onFullDisk(async (root, { jobs }) => {
    const record = await jobs.put({ id: 'j', revision: 0, state: 's', value: 'small' });
    for (const left of [0, 4096, 8192]) {
      await fill(root, left);
      await assert.rejects(jobs.put({ ...record, value: 'x'.repeat(50_000) }), code('STORE_FULL'));
      await assert.rejects(
        jobs.put({ id: `new-${left}`, revision: 0, state: 's', value: 'x'.repeat(50_000) }),
        code('STORE_FULL'),
      );
      assert.deepEqual(await jobs.get('j'), record);
      assert.deepEqual(await readdir(join(root, 'jobs', 'j.job')), ['record.json']);
      await unfill(root);
    }
    assert.equal((await jobs.put(record)).revision, 2);
    await fill(root, 0);
    await jobs.delete('j');
    assert.deepEqual(await jobs.list(), []);
  });
});

test('an event that does not fit is STORE_FULL; later ones follow without a gap', {
  skip: noDisk,
}, async () => {
  await onFullDisk(async (root, { jobs }) => {
    await jobs.append('j', event('first'));
    // So little that the line is begun, and less: that not even the lock can be written.
    for (const left of [0, 4096, 8192]) {
      await fill(root, left);
      await assert.rejects(jobs.append('j', event('x'.repeat(50_000))), code('STORE_FULL'));
      assert.deepEqual(
        (await jobs.events('j')).map(({ data }) => data),
        ['first'],
      );
      assert.deepEqual(await readdir(join(root, 'jobs', 'j.job')), ['events.jsonl']);
      await unfill(root);
    }
    assert.equal((await jobs.append('j', event('second'))).id, 2);
    assert.deepEqual(
      (await jobs.events('j')).map(({ id, data }) => [id, data]),
      [
        [1, 'first'],
        [2, 'second'],
      ],
    );
  });
});
