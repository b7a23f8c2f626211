import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlobCache } from '../../src/adapters/storage/blob-cache.ts';
import { fsStores, type Stores } from '../../src/adapters/storage/fs-stores.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const event = (data: unknown) => ({ type: 't', data, at: 1 });

/** Why no small disk can be had here; undefined where it can. */
const noDisk = ((): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'retort-full-'));
  try {
    const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    if (status !== 0) return `no tmpfs can be mounted here: ${error?.message ?? stderr.toString().trim()}`;
    spawnSync('umount', [folder]);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
})();

/** Runs `body` on a disk of 1 MiB. */
async function onSmallDisk(body: (root: string, stores: Stores) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'retort-full-'));
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]).status, 0);
  try {
    await body(root, fsStores(root));
  } finally {
    spawnSync('umount', [root]);
    rmSync(root, { recursive: true });
  }
}

/** Leaves so many bytes free. */
async function fill(root: string, left: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  await writeFile(join(root, 'ballast'), Buffer.alloc(bavail * bsize - left));
}

async function* endless() {
  for (;;) yield new Uint8Array(64 * 1024);
}

test('a blob that does not fit is STORE_FULL and leaves nothing', { skip: noDisk }, async () => {
  await onSmallDisk(async (root, { blobs }) => {
    const { hash } = await blobs.put(Buffer.from('small'));
    await assert.rejects(blobs.put(endless()), code('STORE_FULL'));
    await assert.rejects(new BlobCache(root, 2 ** 20).add(endless()), code('STORE_FULL'));
    assert.deepEqual(await readdir(join(root, 'incoming')), []);
    assert.equal(Buffer.from(await blobs.get(hash)).toString(), 'small');
    await blobs.put(new Uint8Array(512 * 1024));
  });
});

test('a record that does not fit is STORE_FULL; the one before it stays', { skip: noDisk }, async () => {
  await onSmallDisk(async (root, { jobs }) => {
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
      await rm(join(root, 'ballast'));
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
  await onSmallDisk(async (root, { jobs }) => {
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
      await rm(join(root, 'ballast'));
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
