import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobCache } from '../../src/adapters/storage/blob-cache.ts';
import { concat } from '../../src/adapters/storage/concat.ts';
import { FsBlobs } from '../../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../../src/adapters/storage/fs-jobs.ts';
import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { S3Blobs } from '../../src/adapters/storage/s3-blobs.ts';
import { S3Bucket } from '../../src/adapters/storage/s3-bucket.ts';
import { S3Jobs } from '../../src/adapters/storage/s3-jobs.ts';
import type { BlobStore, JobStore, RecordFilter } from '../../src/pipeline/ports.ts';
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
      assert.deepEqual(await concat(blobs.stream(ref.hash, { start: 16, end: 99 })), bytes('fox'));
      assert.deepEqual(await concat(blobs.stream(ref.hash, { start: 4, end: 4 })), bytes(''));
      assert.deepEqual(await concat(blobs.stream(ref.hash, { start: 99, end: 200 })), bytes(''));
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
      await assert.rejects(concat(blobs.stream(ref.hash)), code('STORE_MISSING'));
      await assert.rejects(concat(blobs.stream(ref.hash, { start: 0, end: 0 })), code('STORE_MISSING'));
      await assert.rejects(blobs.path(ref.hash), code('STORE_MISSING'));
    },
  );

  withStore('all blobs are listed with their sizes, and one put again counts as new', async ({ blobs }) => {
    const refs = await Promise.all(Array.from({ length: 9 }, (_, i) => blobs.put(bytes('x'.repeat(i)))));
    const listed = async () => {
      const all = [];
      for await (const blob of blobs.list()) all.push(blob);
      return all.sort((a, b) => a.bytes - b.bytes);
    };
    const before = await listed();
    assert.deepEqual(
      before.map(({ hash, bytes: size }) => ({ hash, bytes: size })),
      refs,
    );
    // S3 knows the time of an object to the second.
    for (const { modifiedAt } of before) assert.ok(Math.abs(Date.now() - modifiedAt) < 60_000);
    await sleep(1100);
    await blobs.put(bytes('x'));
    const after = await listed();
    for (const [i, { hash, modifiedAt }] of after.entries()) {
      assert.equal(modifiedAt > before[i]!.modifiedAt, i === 1, `blob ${i}`);
      assert.deepEqual(await blobs.stat(hash), { bytes: i, modifiedAt });
    }
    assert.equal(await blobs.stat('0'.repeat(64)), undefined);
  });

  withStore('what a dead upload has left is removed once it is old', async ({ blobs }, root) => {
    const hourAgo = Date.now() - 3_600_000;
    assert.equal(await blobs.clean(hourAgo), 0);
    const incoming = join(root, 'incoming');
    await mkdir(incoming, { recursive: true });
    await Promise.all(['old', 'new'].map((file) => writeFile(join(incoming, file), 'half')));
    await utimes(join(incoming, 'old'), hourAgo / 1000 - 1, hourAgo / 1000 - 1);
    const { hash } = await blobs.put(bytes('whole'));
    assert.equal(await blobs.clean(hourAgo), name === 'memory' ? 0 : 1);
    if (name !== 'memory') assert.deepEqual(await readdir(incoming), ['new']);
    assert.deepEqual(await blobs.get(hash), bytes('whole'));
  });

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
    for (const bad of ['../x', 'a/../b', '', '/a', 'a//b', '.hidden', 'a b', 'a.job/b', 'x'.repeat(500)]) {
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

  withStore('a record says when it was written', async ({ jobs }) => {
    const before = Date.now();
    const first = await jobs.put({ id: 'j', revision: 0, state: 's', value: 1, updatedAt: 5 });
    assert.ok(first.updatedAt! >= before && first.updatedAt! <= Date.now(), `${first.updatedAt}`);
    await sleep(2);
    const second = await jobs.put(first);
    assert.ok(second.updatedAt! > first.updatedAt!);
    assert.equal((await jobs.list())[0]!.updatedAt, second.updatedAt);
  });

  withStore('a record made anew after it was deleted is another one', async (store, root) => {
    const { jobs } = store;
    const other = make(root).jobs;
    let record = await jobs.put({ id: 'j', revision: 0, state: 's', value: 1 });
    for (let i = 0; i < 3; i++) record = await jobs.put(record);
    for (let i = 0; i < 3; i++) await jobs.append('j', { type: 't', data: i, at: i });
    await (name === 'memory' ? jobs : other).delete('j');
    assert.equal(await jobs.get('j'), undefined);
    await assert.rejects(jobs.put(record), code('STORE_CONFLICT'));
    assert.equal((await jobs.put({ ...record, revision: 0 })).revision, 1);
    await assert.rejects(jobs.put(record), code('STORE_CONFLICT'));
    assert.equal((await jobs.append('j', { type: 't', data: 'anew', at: 1 })).id, 1);
    assert.deepEqual(
      (await jobs.events('j')).map(({ data }) => data),
      ['anew'],
    );
  });

  withStore('with a limit the largest ids come first, and no more are read than needed', async ({ jobs }) => {
    const ids = Array.from({ length: 12 }, (_, i) => `job/d_${`${i}`.padStart(2, '0')}`);
    for (const [i, id] of ids.entries()) {
      await jobs.put({ id, revision: 0, state: i % 3 === 0 ? 'done' : 'open', value: i });
    }
    await jobs.put({ id: 'job', revision: 0, state: 'done', value: 0 });
    await jobs.put({ id: 'jobs/x', revision: 0, state: 'done', value: 0 });
    const get = jobs.get.bind(jobs);
    let reads = 0;
    jobs.get = (id) => {
      reads++;
      return get(id);
    };
    const page = async (filter: RecordFilter) => (await jobs.list(filter)).map(({ value }) => value);
    assert.deepEqual(await page({ prefix: 'job/', limit: 3 }), [11, 10, 9]);
    assert.equal(reads, 3);
    assert.deepEqual(await page({ prefix: 'job/', limit: 3, before: 'job/d_09' }), [8, 7, 6]);
    assert.deepEqual(await page({ prefix: 'job/', limit: 99, before: 'job/d_02' }), [1, 0]);
    assert.deepEqual(await page({ prefix: 'job/', limit: 2, state: 'done' }), [9, 6]);
    assert.deepEqual(await page({ prefix: 'job/d_1', limit: 9 }), [11, 10]);
    assert.deepEqual(await page({ prefix: 'job/d_1' }), [10, 11]);
    assert.deepEqual(await page({ prefix: 'job/', limit: 0 }), []);
    assert.deepEqual(await page({ prefix: 'nothing/' }), []);
  });

  withStore('records whose ids begin alike keep their own events', async ({ jobs }) => {
    const ids = ['a', 'a/b', 'a-b', 'ab'];
    for (const id of ids) {
      await jobs.put({ id, revision: 0, state: 's', value: id });
      await jobs.append(id, { type: 't', data: id, at: 1 });
    }
    await jobs.delete('a');
    for (const id of ids) {
      const events = (await jobs.events(id)).map(({ data }) => data);
      assert.deepEqual(events, id === 'a' ? [] : [id]);
    }
    assert.deepEqual(
      (await jobs.list()).map(({ id }) => id),
      ['a-b', 'a/b', 'ab'],
    );
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

  withStore('an event that is to follow a certain one follows no other', async ({ jobs }) => {
    const event = { type: 't', data: 1, at: 1 };
    assert.equal((await jobs.append('j', event, 0)).id, 1);
    await assert.rejects(jobs.append('j', event, 0), code('STORE_CONFLICT'));
    await assert.rejects(jobs.append('j', event, 2), code('STORE_CONFLICT'));
    const both = await Promise.allSettled([jobs.append('j', event, 1), jobs.append('j', event, 1)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await jobs.events('j')).length, 2);
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
