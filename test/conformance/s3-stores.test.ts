import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { BlobCache } from '../../src/adapters/storage/blob-cache.ts';
import { concat } from '../../src/adapters/storage/concat.ts';
import { openStores } from '../../src/adapters/storage/index.ts';
import { S3Blobs } from '../../src/adapters/storage/s3-blobs.ts';
import { S3Bucket } from '../../src/adapters/storage/s3-bucket.ts';
import { S3Jobs } from '../../src/adapters/storage/s3-jobs.ts';
import { readConfig } from '../../src/config.ts';
import { freePort } from '../support/redis.ts';
import { type S3Server, s3Server } from '../support/s3-server.ts';

/** What only the S3 driver can do wrong; what all drivers promise is in stores.test.ts. */

const MiB = 2 ** 20;
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
let folder: string;
let s3: S3Server;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'retort-s3-'));
  s3 = await s3Server(join(folder, 'server'));
});
after(async () => {
  await s3.close();
  await rm(folder, { recursive: true });
});

/** One machine with its own cache; `name` is the prefix, and with it the store. */
const machine = (name: string, cacheBytes = 64 * MiB) => {
  const bucket = new S3Bucket({ ...s3.place, prefix: `${name}/` });
  const cache = join(folder, `${name}-${randomBytes(4).toString('hex')}`);
  return { blobs: new S3Blobs(bucket, new BlobCache(cache, cacheBytes)), jobs: new S3Jobs(bucket), cache };
};
const settings = (more: Readonly<Record<string, string>> = {}) =>
  readConfig({
    RETORT_DATA: join(folder, 'data'),
    RETORT_STORAGE: 's3',
    RETORT_S3_BUCKET: s3.place.bucket,
    RETORT_S3_ENDPOINT: s3.place.endpoint,
    ...more,
  });
const since = (start: number, pattern: RegExp) =>
  s3.requests.slice(start).filter((line) => pattern.test(line));

test('a large blob goes up in parts, and another machine gets the same bytes', async () => {
  const [one, two] = [machine('parts'), machine('parts')];
  const data = randomBytes(20 * MiB + 3);
  const start = s3.requests.length;
  const { hash } = await one.blobs.put(data);
  assert.equal(since(start, /^POST /).length, 2, 'a multipart upload is begun and completed');
  assert.equal(since(start, /^PUT /).length, 3, 'in parts of 8 MiB');
  assert.ok(data.equals(await two.blobs.get(hash)));
  assert.ok(data.equals(await concat(two.blobs.stream(hash))));
});

test('content that is there already is not uploaded again', async () => {
  const data = randomBytes(9 * MiB);
  await machine('twice').blobs.put(data);
  const start = s3.requests.length;
  await machine('twice').blobs.put(data);
  assert.deepEqual(since(start, /^POST /), []);
  assert.equal(since(start, /^PUT /).length, 1, 'one copy of the object onto itself');
});

test('a blob is downloaded once, however many ask for it at once, and then lies here', async () => {
  const [one, two] = [machine('once'), machine('once')];
  const { hash } = await one.blobs.put(randomBytes(MiB));
  const start = s3.requests.length;
  const paths = await Promise.all(Array.from({ length: 8 }, () => two.blobs.path(hash)));
  await two.blobs.get(hash);
  assert.equal(new Set(paths).size, 1);
  assert.equal(since(start, /^GET .*blobs/).length, 1);
});

test('a blob that was damaged in the bucket is refused, and nothing of it is kept', async () => {
  const { hash } = await machine('damage').blobs.put(randomBytes(1000));
  const { bucket } = s3.place;
  const object = join(
    folder,
    'server',
    bucket,
    'damage',
    'blobs',
    hash.slice(0, 2),
    `${hash}._S3rver_object`,
  );
  await appendFile(object, 'x');
  const { blobs, cache } = machine('damage');
  await assert.rejects(blobs.path(hash), code('STORE_CORRUPT'));
  const files = (await readdir(cache, { recursive: true, withFileTypes: true })).filter((f) => f.isFile());
  assert.deepEqual(files, []);
});

test('the cache lets go of what was not used for long, and the bucket has it still', async () => {
  const { blobs } = machine('bound', MiB);
  const refs = [];
  for (let i = 0; i < 4; i++) refs.push(await blobs.put(randomBytes(MiB / 2)));
  const paths = await Promise.all(refs.map(({ hash }) => blobs.path(hash)));
  for (const path of paths.slice(0, 3)) await utimes(path, 1, 1);
  await blobs.path(refs[1]!.hash);
  await blobs.put(randomBytes(MiB / 2));
  const there = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  assert.deepEqual(there, [false, true, false, true], 'the two that nobody touched are gone');
  assert.equal((await blobs.get(refs[0]!.hash)).byteLength, MiB / 2);
});

test('an answer that is lost is no conflict: what was written counts, once', async () => {
  const { jobs } = machine('lost');
  const start = s3.requests.length;
  s3.loseAnswerTo(/^PUT .*records\/j$/);
  const first = await jobs.put({ id: 'j', revision: 0, state: 's', value: 1 });
  s3.loseAnswerTo(/^PUT .*records\/j$/);
  const second = await jobs.put({ ...first, value: 2 });
  assert.deepEqual(await jobs.get('j'), second);
  for (let i = 1; i <= 3; i++) {
    s3.loseAnswerTo(/^PUT .*events\/j/);
    assert.equal((await jobs.append('j', { type: 't', data: i, at: i })).id, i);
  }
  assert.deepEqual(
    (await jobs.events('j')).map(({ data }) => data),
    [1, 2, 3],
  );
  assert.equal(since(start, /^PUT /).length, 10, 'each of the five writes was sent twice');
});

test('many machines write one record and its events, and none overwrites another', async () => {
  const machines = Array.from({ length: 4 }, () => machine('many').jobs);
  await machines[0]!.put({ id: 'j', revision: 0, state: 's', value: 0 });
  const increment = async (jobs: S3Jobs): Promise<void> => {
    const record = (await jobs.get('j'))!;
    const written = await jobs.put({ ...record, value: (record.value as number) + 1 }).catch((error) => {
      assert.ok(code('STORE_CONFLICT')(error), error);
    });
    return written ? undefined : increment(jobs);
  };
  await Promise.all(
    machines.flatMap((jobs, data) =>
      [1, 2].flatMap(() => [increment(jobs), jobs.append('j', { type: 't', data, at: 1 })]),
    ),
  );
  assert.equal((await machines[1]!.get('j'))?.value, 8);
  const ids = (await machines[2]!.events('j')).map(({ id }) => id);
  assert.deepEqual(ids, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('openStores opens what the settings say', async () => {
  const record = { id: 'j', revision: 0, state: 's', value: 1 };
  for (const storage of ['fs', 's3']) {
    const { blobs, jobs } = await openStores(
      settings({ RETORT_STORAGE: storage, RETORT_S3_PREFIX: 'open/' }),
    );
    const { hash } = await blobs.put(Buffer.from(storage));
    await jobs.put(record);
    const again = await openStores(settings({ RETORT_STORAGE: storage, RETORT_S3_PREFIX: 'open/' }));
    assert.equal(Buffer.from(await again.blobs.get(hash)).toString(), storage);
    assert.equal((await again.jobs.get('j'))?.revision, 1);
  }
  const bucket = new S3Bucket({ ...s3.place, prefix: 'open/' });
  const keys = [];
  for await (const { key } of bucket.list('')) keys.push(key.slice(0, key.indexOf('/')));
  assert.deepEqual(keys, ['blobs', 'records'], 'no probe is left behind');
});

test('a bucket that is not named, not there or refuses the key is SERVICE_SETUP', async () => {
  await assert.rejects(openStores(settings({ RETORT_S3_BUCKET: '' })), code('SERVICE_SETUP'));
  await assert.rejects(openStores(settings({ RETORT_S3_BUCKET: 'elsewhere' })), code('SERVICE_SETUP'));
  const key = process.env.AWS_ACCESS_KEY_ID;
  process.env.AWS_ACCESS_KEY_ID = 'SOMEONE';
  try {
    await assert.rejects(openStores(settings()), code('SERVICE_SETUP'));
  } finally {
    process.env.AWS_ACCESS_KEY_ID = key;
  }
});

test('a server that ignores the conditions of writes is SERVICE_SETUP', async () => {
  const careless = await s3Server(join(folder, 'careless'), { conditions: false });
  try {
    const refused = openStores(settings({ RETORT_S3_ENDPOINT: careless.place.endpoint }));
    await assert.rejects(refused, code('SERVICE_SETUP'));
  } finally {
    await careless.close();
  }
});

test('a server that cannot be reached is STORE_UNAVAILABLE, which can be tried again', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  await assert.rejects(openStores(settings({ RETORT_S3_ENDPOINT: endpoint })), (error) => {
    assert.ok(code('STORE_UNAVAILABLE')(error), String(error));
    return (error as { entry: { retry: string } }).entry.retry === 'later';
  });
  const bucket = new S3Bucket({ ...s3.place, endpoint, prefix: '' });
  const { blobs, jobs } = {
    blobs: new S3Blobs(bucket, new BlobCache(join(folder, 'away'), MiB)),
    jobs: new S3Jobs(bucket),
  };
  const failing = [
    blobs.put(Buffer.from('x')),
    blobs.has('0'.repeat(64)),
    blobs.get('0'.repeat(64)),
    concat(blobs.stream('0'.repeat(64))),
    jobs.get('j'),
    jobs.put({ id: 'j', revision: 0, state: 's', value: 1 }),
    jobs.append('j', { type: 't', data: 1, at: 1 }),
    jobs.list(),
    jobs.delete('j'),
  ];
  await Promise.all(failing.map((each) => assert.rejects(each, code('STORE_UNAVAILABLE'))));
});

test('a download that breaks off is STORE_UNAVAILABLE and leaves nothing in the cache', async () => {
  const { hash } = await machine('breaks').blobs.put(randomBytes(4 * MiB));
  const { blobs, cache } = machine('breaks');
  s3.cutAnswerTo(/^GET .*blobs/);
  await assert.rejects(blobs.path(hash), code('STORE_UNAVAILABLE'));
  const files = (await readdir(cache, { recursive: true, withFileTypes: true })).filter((f) => f.isFile());
  assert.deepEqual(files, []);
  assert.equal(basename(await blobs.path(hash)), hash);
});
