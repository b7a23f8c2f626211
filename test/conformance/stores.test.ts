import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { BlobCache } from '../../src/adapters/storage/blob-cache.ts';
import { concat } from '../../src/adapters/storage/concat.ts';
import { FsBlobs } from '../../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../../src/adapters/storage/fs-jobs.ts';
import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { S3Blobs } from '../../src/adapters/storage/s3-blobs.ts';
import { S3Bucket } from '../../src/adapters/storage/s3-bucket.ts';
import { S3Jobs } from '../../src/adapters/storage/s3-jobs.ts';
import type { BlobStore, JobStore } from '../../src/pipeline/ports.ts';
import { type S3Server, s3Server } from '../support/s3-server.ts';

let s3: S3Server;
let s3Folder: string;
before(async () => {
  s3Folder = await mkdtemp(join(tmpdir(), 'retort-s3-'));
  s3 = await s3Server(s3Folder);
});
after(async () => {
  await s3.close();
  await rm(s3Folder, { recursive: true });
});

const drivers: Record<string, (root: string) => { blobs: BlobStore; jobs: JobStore }> = {
  memory: () => ({ blobs: new MemoryBlobs(), jobs: new MemoryJobs() }),
  filesystem: (root) => ({ blobs: new FsBlobs(root), jobs: new FsJobs(root) }),
  s3: (root) => {
    const bucket = new S3Bucket({ ...s3.place, prefix: `${basename(root)}/` });
    return { blobs: new S3Blobs(bucket, new BlobCache(root, 2 ** 20)), jobs: new S3Jobs(bucket) };
  },
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

for (const [name, make] of Object.entries(drivers)) {
  const withStore = (title: string, body: (s: ReturnType<typeof make>, root: string) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
      try {
        await body(make(root), root);
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });

  withStore(
    'a blob is named by its sha256, stored once and read back whole or in part',
    async ({ blobs }) => {
      const data = bytes('the quick brown fox');
      const expected = createHash('sha256').update(data).digest('hex');
      const ref = await blobs.put(data);
      assert.deepEqual(ref, { hash: expected, bytes: data.length });
      async function* pieces() {
        yield data.subarray(0, 4);
        yield data.subarray(4);
      }
      assert.deepEqual(await blobs.put(pieces()), ref);
      assert.deepEqual(await blobs.get(ref.hash), data);
      assert.deepEqual(await concat(blobs.stream(ref.hash)), data);
      assert.deepEqual(await concat(blobs.stream(ref.hash, { start: 4, end: 9 })), bytes('quick'));
      const source = await blobs.source(ref.hash);
      assert.equal(source.size, data.length);
      assert.deepEqual(await source.read(4, 5), bytes('quick'));
      assert.deepEqual(await source.read(16, 99), bytes('fox'));
      assert.deepEqual(await concat(source.stream(4, 9)), bytes('quick'));
      await source.close();
      assert.deepEqual(new Uint8Array(await readFile(await blobs.path(ref.hash))), data);
      await blobs.delete(ref.hash);
      assert.equal(await blobs.has(ref.hash), false);
      await assert.rejects(blobs.get(ref.hash), code('STORE_MISSING'));
    },
  );

  withStore('what a caller does to its bytes does not change the blob', async ({ blobs }) => {
    const data = bytes('abc');
    const { hash } = await blobs.put(data);
    data.fill(0);
    (await blobs.get(hash)).fill(1);
    assert.deepEqual(await blobs.get(hash), bytes('abc'));
  });

  withStore('a stream that breaks leaves no blob', async ({ blobs }, root) => {
    async function* broken() {
      yield bytes('half');
      throw new Error('the upload broke');
    }
    await assert.rejects(blobs.put(broken()), /upload broke/);
    assert.equal(await blobs.has(createHash('sha256').update('half').digest('hex')), false);
    const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((f) => f.isFile());
    assert.deepEqual(files, []);
  });

  withStore('names that are no hashes or ids are refused', async ({ blobs, jobs }) => {
    for (const bad of ['../../etc/passwd', '', 'ABCDEF', `${'a'.repeat(63)}/`]) {
      await assert.rejects(blobs.get(bad), code('STORE_MISSING'), bad);
      await assert.rejects(blobs.has(bad), code('STORE_MISSING'), bad);
    }
    for (const bad of ['../x', 'a/../b', '', '/a', 'a//b', '.hidden', 'a b', 'x'.repeat(500)]) {
      await assert.rejects(
        jobs.put({ id: bad, revision: 0, state: 's', value: 1 }),
        code('STORE_MISSING'),
        bad,
      );
      await assert.rejects(jobs.append(bad, { type: 't', data: 1, at: 1 }), code('STORE_MISSING'), bad);
    }
  });

  withStore('a record changes only from the revision that was read', async ({ jobs }) => {
    assert.equal(await jobs.get('job-1'), undefined);
    const first = await jobs.put({ id: 'job-1', revision: 0, state: 'queued', value: { a: 1 } });
    assert.equal(first.revision, 1);
    await assert.rejects(jobs.put({ ...first, revision: 0 }), code('STORE_CONFLICT'));
    const second = await jobs.put({ ...first, state: 'running' });
    assert.deepEqual(await jobs.get('job-1'), second);
    await assert.rejects(jobs.put({ ...first, state: 'done' }), code('STORE_CONFLICT'));
    const racers = Array.from({ length: 8 }, (_, i) => jobs.put({ ...second, value: i }));
    const outcomes = await Promise.allSettled(racers);
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  });

  withStore('records are listed by state and prefix', async ({ jobs }) => {
    await jobs.put({ id: 'job/b', revision: 0, state: 'queued', value: 0 });
    await jobs.put({ id: 'job/a', revision: 0, state: 'done', value: 0 });
    await jobs.put({ id: 'stage/a', revision: 0, state: 'done', value: 0 });
    await jobs.append('job/b', { type: 't', data: 1, at: 1 });
    const ids = async (filter?: { state?: string; prefix?: string }) =>
      (await jobs.list(filter)).map((record) => record.id);
    assert.deepEqual(await ids(), ['job/a', 'job/b', 'stage/a']);
    assert.deepEqual(await ids({ state: 'done' }), ['job/a', 'stage/a']);
    assert.deepEqual(await ids({ state: 'done', prefix: 'job/' }), ['job/a']);
    await jobs.delete('job/b');
    assert.deepEqual(await ids({ prefix: 'job/' }), ['job/a']);
    assert.deepEqual(await jobs.events('job/b'), []);
  });

  withStore('events are numbered without gaps, also when many write at once', async ({ jobs }) => {
    assert.deepEqual(await jobs.events('job-1'), []);
    const writes = Array.from({ length: 20 }, (_, i) => jobs.append('job-1', { type: 'n', data: i, at: i }));
    const ids = (await Promise.all(writes)).map((event) => event.id);
    assert.deepEqual(
      [...ids].sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    const later = await jobs.events('job-1', 17);
    assert.deepEqual(
      later.map((event) => event.id),
      [18, 19, 20],
    );
  });
}

test('filesystem: half a line left by a crash is dropped, and its number is given again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
  const jobs = new FsJobs(root);
  await jobs.append('j', { type: 'é', data: 'ü', at: 1 });
  await appendFile(join(root, 'jobs', 'j.job', 'events.jsonl'), '{"type":"ha');
  assert.equal((await jobs.events('j')).length, 1);
  assert.equal((await jobs.append('j', { type: 'b', data: 2, at: 2 })).id, 2);
  assert.deepEqual(
    (await new FsJobs(root).events('j')).map((event) => event.data),
    ['ü', 2],
  );
  await rm(root, { recursive: true });
});

test('filesystem: the lock of a process that died is taken over', async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
  const jobs = new FsJobs(root);
  await jobs.append('j', { type: 'a', data: 1, at: 1 });
  const script = join(root, 'exit.mjs');
  await writeFile(script, '');
  const child = fork(script);
  const dead = child.pid!;
  await new Promise((resolve) => child.on('exit', resolve));
  await writeFile(join(root, 'jobs', 'j.job', 'lock'), `${dead}`);
  assert.equal((await jobs.append('j', { type: 'b', data: 2, at: 2 })).id, 2);
  await rm(root, { recursive: true });
});
