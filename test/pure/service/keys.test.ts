import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import { Keys } from '../../../src/service/keys/keys.ts';
import { newSecret, parseToken } from '../../../src/service/keys/token.ts';
import { ManualClock } from '../../support/job-draft.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

class CountingJobs extends MemoryJobs {
  reads = 0;
  override get(id: string) {
    this.reads++;
    return super.get(id);
  }
}

const setUp = () => {
  const jobs = new CountingJobs();
  const clock = new ManualClock();
  return { jobs, clock, keys: new Keys({ jobs, clock }) };
};
const draft = { name: 'ci', scopes: ['read', 'write'] as const, limits: { openJobs: 3 } };

test('a token names its key; a wrong, cut, longer or foreign one names none', async () => {
  const { keys } = setUp();
  const { key, token } = await keys.create(draft);
  const other = await keys.create({ name: 'other', scopes: ['admin'] });
  assert.match(token, /^rt_[0-9a-z]{26}_[0-9A-Za-z]{43}$/);
  assert.deepEqual(await keys.verify(token), { id: key.id, ...draft });
  const secret = parseToken(token)!.secret;
  const flipped = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');
  const wrong = [
    flipped,
    token.slice(0, -1),
    `${token}a`,
    ` ${token}`,
    '',
    'rt__',
    `rt_${other.key.id}_${secret}`,
    `rt_01hzzzzzzzzzzzzzzzzzzzzzzz_${secret}`,
    `rt_../key_${secret}`,
    token.toUpperCase(),
  ];
  for (const text of wrong) assert.equal(await keys.verify(text), undefined, text);
});

test('the secret is kept nowhere, only its sha256', async () => {
  const { keys, jobs } = setUp();
  const { token } = await keys.create(draft);
  const kept = JSON.stringify(await jobs.list());
  assert.ok(!kept.includes(parseToken(token)!.secret));
  assert.ok(!JSON.stringify(await keys.list()).includes('secretHash'));
});

test('secrets are 43 digits of base 62 and never the same', () => {
  const made = new Set(Array.from({ length: 500 }, newSecret));
  assert.equal(made.size, 500);
  for (const secret of made) assert.match(secret, /^[0-9A-Za-z]{43}$/);
});

test('requests in quick succession read the store once; unknown ids are not remembered', async () => {
  const { keys, jobs, clock } = setUp();
  const { token } = await keys.create(draft);
  jobs.reads = 0;
  await Promise.all(Array.from({ length: 50 }, () => keys.verify(token)));
  clock.time += 2999;
  await keys.verify(token);
  assert.equal(jobs.reads, 1);
  clock.time += 1;
  await keys.verify(token);
  assert.equal(jobs.reads, 2);
  const unknown = `rt_01hzzzzzzzzzzzzzzzzzzzzzzz_${'a'.repeat(43)}`;
  await keys.verify(unknown);
  await keys.verify(unknown);
  assert.equal(jobs.reads, 4);
});

test('a store that failed once is asked again', async () => {
  const { keys, jobs } = setUp();
  const { token, key } = await keys.create(draft);
  const get = jobs.get.bind(jobs);
  jobs.get = () => Promise.reject(new Error('the disk is away'));
  await assert.rejects(keys.verify(token), /disk is away/);
  jobs.get = get;
  assert.equal((await keys.verify(token))?.id, key.id);
});

test('a revoked key ends here at once, in other processes within 5 s, and stays listed', async () => {
  const { keys, jobs, clock } = setUp();
  const elsewhere = new Keys({ jobs, clock });
  const { token, key } = await keys.create(draft);
  await Promise.all([keys.verify(token), elsewhere.verify(token)]);
  const revoked = await keys.revoke(key.id);
  assert.equal(revoked.revokedAt, clock.time);
  assert.equal(await keys.verify(token), undefined);
  clock.time += 5000;
  assert.equal(await elsewhere.verify(token), undefined);
  assert.deepEqual(await keys.revoke(key.id), revoked);
  assert.deepEqual(await keys.list(), [revoked]);
  await assert.rejects(keys.revoke('nobody'), code('NOT_FOUND'));
});

test('a key without a name or a scope is refused', async () => {
  const { keys } = setUp();
  await assert.rejects(keys.create({ name: ' ', scopes: ['read'] }), code('REQUEST_INVALID'));
  await assert.rejects(keys.create({ name: 'x', scopes: [] }), code('REQUEST_INVALID'));
});
