import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkRedis } from '../../src/adapters/queue/check-redis.ts';
import { producerConnection, reachable } from '../../src/adapters/queue/connection.ts';
import { openRedis } from '../../src/adapters/queue/open-redis.ts';
import { newAddress } from '../../src/adapters/queue/redis-folder.ts';
import { readConfig } from '../../src/config.ts';
import { RetortError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { bareRedis, temporaryFolder } from '../support/bare-redis.ts';
import { noRedis } from '../support/redis.ts';

/** Which Redis the service refuses, and what it says. */

const skip = noRedis ?? false;
const SAFE = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
const NO_CONFIG = ['--rename-command', 'CONFIG', ''];
const log = createLog('silent', 'test');
const url = (port: number, user = ''): string => `redis://${user}127.0.0.1:${port}`;

async function refusal(promise: Promise<unknown>): Promise<RetortError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RetortError, `${error}`);
  return error;
}

test('a Redis with an append-only file that evicts nothing is accepted', { skip }, async (t) => {
  const port = await bareRedis(t, SAFE);
  const facts = await checkRedis(url(port), { unchecked: false });
  assert.deepEqual([facts.appendonly, facts.policy], ['yes', 'noeviction']);
  const opened = await openRedis(readConfig({ REDIS_URL: url(port) }), log);
  assert.deepEqual([opened.url, opened.private], [url(port), false]);
});

test('a Redis that evicts is refused by the name of its setting, checked or not', { skip }, async (t) => {
  const port = await bareRedis(t, ['--appendonly', 'yes', '--maxmemory-policy', 'allkeys-lru']);
  for (const unchecked of [false, true]) {
    const { code, problems } = await refusal(checkRedis(url(port), { unchecked }));
    assert.equal(code, 'QUEUE_UNAVAILABLE');
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^maxmemory-policy is allkeys-lru, wanted noeviction: `redis-cli CONFIG SET /);
  }
});

test('a Redis without an append-only file is refused', { skip }, async (t) => {
  const port = await bareRedis(t, ['--maxmemory-policy', 'noeviction']);
  const { problems } = await refusal(checkRedis(url(port), { unchecked: false }));
  assert.match(problems.join(), /^appendonly is no, wanted yes: `redis-cli CONFIG SET appendonly yes`/);
});

test('where CONFIG is taken away, INFO is asked', { skip }, async (t) => {
  const good = await bareRedis(t, [...SAFE, ...NO_CONFIG]);
  const facts = await checkRedis(url(good), { unchecked: false });
  assert.deepEqual([facts.appendonly, facts.policy], ['yes', 'noeviction']);
  const bad = await bareRedis(t, ['--maxmemory-policy', 'volatile-ttl', ...NO_CONFIG]);
  const { problems } = await refusal(checkRedis(url(bad), { unchecked: true }));
  assert.deepEqual(
    problems.map((problem) => problem.split(':')[0]),
    ['appendonly is no, wanted yes', 'maxmemory-policy is volatile-ttl, wanted noeviction'],
  );
});

test('a Redis that tells neither is refused, unless its user says to use it unchecked', {
  skip,
}, async (t) => {
  const port = await bareRedis(t, [
    ...SAFE,
    '--user',
    'app',
    'on',
    '>word',
    '~*',
    '&*',
    '+@all',
    '-config',
    '-info',
  ]);
  const app = url(port, 'app:word@');
  const error = await refusal(checkRedis(app, { unchecked: false }));
  assert.match(error.problems.join('\n'), /^appendonly cannot be read, wanted yes/m);
  assert.match(error.hint!, /RETORT_REDIS_UNCHECKED=1/);
  await checkRedis(app, { unchecked: true });
});

test('a wrong password is told at once, an absent Redis after some patience, neither with the password', {
  skip,
}, async (t) => {
  const port = await bareRedis(t, [...SAFE, '--requirepass', 'right']);
  const start = performance.now();
  const refused = await refusal(checkRedis(url(port, ':wrong-secret@'), { unchecked: true }));
  assert.ok(performance.now() - start < 5000);
  assert.equal(refused.message, 'Redis refuses us');
  const absent = (await newAddress()).port;
  const away = await refusal(reachable(producerConnection(url(absent, ':wrong-secret@')), 700));
  assert.equal(away.message, 'Redis cannot be reached');
  assert.match(away.problems.join(), /ECONNREFUSED/);
  for (const error of [refused, away]) {
    assert.ok(!JSON.stringify([error.message, error.hint, error.problems]).includes('wrong-secret'));
  }
});

test('a Redis that starts a little later is waited for', { skip }, async (t) => {
  const { port } = await newAddress();
  const waiting = reachable(producerConnection(url(port)));
  await bareRedis(t, SAFE, port);
  const redis = await waiting;
  assert.equal(redis.status, 'ready');
  redis.disconnect();
});

test('a REDIS_URL that is none is refused without being shown', async () => {
  const config = readConfig({ REDIS_URL: ':secret@localhost:6379' });
  const error = await refusal(openRedis(config, log));
  assert.equal(error.code, 'SERVICE_SETUP');
  assert.ok(!`${error.message}${error.hint}`.includes('secret'));
});

test('where no redis-server is installed, the error says how to get one', async (t) => {
  const folder = await temporaryFolder();
  const error = await withPath(t, folder, () => refusal(openRedis(readConfig({ RETORT_DATA: folder }), log)));
  assert.equal(error.code, 'SERVICE_SETUP');
  assert.match(error.message, /redis-server is not on PATH/);
  assert.match(error.hint!, /(apt-get|brew|apk|dnf|redis\.io).*REDIS_URL/);
});

test('a redis-server that is too old is refused by its version', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = await temporaryFolder();
  const program = join(folder, 'redis-server');
  await writeFile(
    program,
    '#!/bin/sh\necho "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"\n',
  );
  await chmod(program, 0o755);
  const error = await withPath(t, folder, () => refusal(openRedis(readConfig({ RETORT_DATA: folder }), log)));
  assert.match(error.message, /version 6\.0\.16, wanted 6\.2 or newer/);
});

async function withPath<T>(t: TestContext, path: string, body: () => Promise<T>): Promise<T> {
  const { PATH } = process.env;
  t.after(() => {
    process.env.PATH = PATH;
  });
  process.env.PATH = path;
  try {
    return await body();
  } finally {
    process.env.PATH = PATH;
  }
}
