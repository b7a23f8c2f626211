import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FsBlobs } from '../../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../../src/adapters/storage/fs-jobs.ts';
import { holderText } from '../../src/adapters/storage/lock-holder.ts';

/** What only the file driver can do wrong; what all drivers promise is in stores.test.ts. */

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
  const holder = JSON.stringify({ ...JSON.parse(holderText()), pid: dead });
  await writeFile(join(root, 'jobs', 'j.job', 'lock'), holder);
  assert.equal((await jobs.append('j', { type: 'b', data: 2, at: 2 })).id, 2);
  await rm(root, { recursive: true });
});

test('filesystem: lines longer than the tail that is read first are whole all the same', async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
  const jobs = new FsJobs(root);
  const path = join(root, 'jobs', 'j.job', 'events.jsonl');
  for (const length of [10, 4000, 4096, 5000, 100_000, 3]) {
    await jobs.append('j', { type: 'ü', data: 'x'.repeat(length), at: 1 });
  }
  await appendFile(path, `{"half":"${'y'.repeat(20_000)}`);
  assert.equal((await jobs.append('j', { type: 'a', data: 1, at: 2 })).id, 7);
  assert.deepEqual(
    (await jobs.events('j')).map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7],
  );
  await truncate(path, 5);
  assert.equal((await jobs.append('j', { type: 'a', data: 1, at: 2 })).id, 1);
  await rm(root, { recursive: true });
});

const noProc = process.platform === 'linux' ? false : 'bytes read are counted in /proc';
test('filesystem: to append reads the end of the events only', { skip: noProc }, async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
  const jobs = new FsJobs(root);
  for (let i = 0; i < 4; i++) await jobs.append('j', { type: 't', data: 'x'.repeat(2 ** 20), at: 1 });
  await jobs.append('j', { type: 't', data: 1, at: 1 });
  const bytesRead = async () => Number(/rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))![1]);
  const before = await bytesRead();
  await jobs.append('j', { type: 't', data: 2, at: 1 });
  const read = (await bytesRead()) - before;
  assert.ok(read < 100_000, `${read} bytes were read of a file of 4 MiB`);
  await rm(root, { recursive: true });
});

test('filesystem: writers and deleters of one record do not trip over each other', async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
  const jobs = new FsJobs(root);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => [
      jobs.put({ id: 'j', revision: 0, state: 's', value: i }),
      jobs.append('j', { type: 't', data: i, at: i }),
      i % 3 === 0 ? jobs.delete('j') : jobs.events('j'),
    ]).flat(),
  );
  const reasons = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  assert.deepEqual(
    reasons.filter(({ code }) => code !== 'STORE_CONFLICT'),
    [],
  );
  const { revision } = await jobs
    .get('j')
    .then((record) => jobs.put({ id: 'j', revision: record?.revision ?? 0, state: 's', value: 'last' }));
  assert.equal((await jobs.get('j'))?.revision, revision);
  const left = (await readdir(join(root, 'jobs', 'j.job'))).filter((file) =>
    /^(lock|record\.(?!json))/.test(file),
  );
  assert.deepEqual(left, []);
  assert.deepEqual(await readdir(join(root, 'jobs')), ['j.job']);
  await rm(root, { recursive: true });
});

test('filesystem: a blob that a crash has cut short is replaced when it is put again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'retort-store-'));
  const blobs = new FsBlobs(root);
  const { hash } = await blobs.put(Buffer.from('whole'));
  await truncate(await blobs.path(hash), 2);
  await blobs.put(Buffer.from('whole'));
  assert.equal(Buffer.from(await blobs.get(hash)).toString(), 'whole');
  await utimes(await blobs.path(hash), 1, 1);
  await blobs.put(Buffer.from('whole'));
  assert.ok((await stat(await blobs.path(hash))).mtimeMs > 1000);
  await rm(root, { recursive: true });
});
