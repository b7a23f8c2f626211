import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { isRunning } from '../../src/adapters/birth-of.ts';
import { checkRedis } from '../../src/adapters/queue/check-redis.ts';
import { workerConnection } from '../../src/adapters/queue/connection.ts';
import { openRedis } from '../../src/adapters/queue/open-redis.ts';
import { PrivateRedis, type PrivateRedisOptions } from '../../src/adapters/queue/private-redis.ts';
import { probeRedis } from '../../src/adapters/queue/probe-redis.ts';
import { newAddress, RedisFolder } from '../../src/adapters/queue/redis-folder.ts';
import { stopRedis } from '../../src/adapters/queue/redis-process.ts';
import { readConfig } from '../../src/config.ts';
import type { RetortError } from '../../src/errors.ts';
import { temporaryFolder } from '../support/bare-redis.ts';
import { noRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

/** The private redis-server of a data folder, with real servers, real processes and real kills. */

const skip = noRedis ?? false;
const KEEPER = fileURLToPath(new URL('../support/keep-redis.ts', import.meta.url));

/** A log whose lines can be read. */
function readableLog(): { readonly log: PrivateRedisOptions['log']; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }), lines };
}

async function open(
  t: TestContext,
  folder: string,
  options: Partial<PrivateRedisOptions> = {},
): Promise<PrivateRedis> {
  const redis = await PrivateRedis.open(folder, { log: readableLog().log, ...options });
  t.after(() => redis.close());
  return redis;
}

interface Keeper {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
}

async function keeper(t: TestContext, folder: string): Promise<Keeper> {
  const child = spawn(process.execPath, ['--import', 'tsx', KEEPER, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, ...(JSON.parse(line.toString()) as { pid: number; url: string }) };
}

async function withClient<T>(url: string, body: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await body(client);
  } finally {
    client.disconnect();
  }
}

test('a private Redis is safe as a queue, and keeps its password to itself', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const { log, lines } = readableLog();
  const redis = await openRedis(readConfig({ RETORT_DATA: folder }), log);
  t.after(() => redis.close());
  assert.equal(redis.private, true);
  const address = (await new RedisFolder(folder).address())!;
  for (const name of ['connection.json', 'redis.conf', 'redis.log']) {
    assert.equal((await stat(join(folder, 'redis', name))).mode & 0o777, 0o600, name);
  }
  const [fsync, bind] = await withClient(redis.url, async (client) => [
    await client.config('GET', 'appendfsync'),
    await client.config('GET', 'bind'),
  ]);
  assert.deepEqual(
    [fsync, bind],
    [
      ['appendfsync', 'everysec'],
      ['bind', '127.0.0.1'],
    ],
  );

  const shown = execFileSync('ps', ['-ww', '-o', 'args=', '-p', `${address.pid}`], { encoding: 'utf8' });
  assert.match(shown, /redis-server/);
  const serverLog = await readFile(join(folder, 'redis', 'redis.log'), 'utf8');
  for (const text of [shown, serverLog, ...lines]) assert.ok(!text.includes(address.password));
  await assert.rejects(checkRedis(`redis://127.0.0.1:${address.port}`, { unchecked: true }), {
    code: 'QUEUE_UNAVAILABLE',
    message: 'Redis refuses us',
  });

  await redis.close();
  assert.equal(isRunning(address.pid!), false, 'it runs after close');
});

test('a Redis that outlived a killed service is adopted with its data, and stopped at last', {
  skip,
}, async (t) => {
  const folder = await temporaryFolder();
  const first = await keeper(t, folder);
  await withClient(first.url, (client) => client.set('a', 'kept'));
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  assert.ok(isRunning(first.pid));

  const second = await open(t, folder);
  assert.deepEqual([second.pid, second.url], [first.pid, first.url]);
  assert.equal(await withClient(second.url, (client) => client.get('a')), 'kept');
  await second.close();
  assert.equal(isRunning(first.pid), false);
});

test('processes that start at the same moment share one server, and the last to leave stops it', {
  skip,
}, async (t) => {
  const folder = await temporaryFolder();
  const [one, two, here] = await Promise.all([keeper(t, folder), keeper(t, folder), open(t, folder)]);
  assert.deepEqual([one.pid, two.pid], [here.pid, here.pid]);
  for (const each of [one, two]) {
    each.child.stdin!.write('close\n');
    await once(each.child, 'exit');
    assert.ok(isRunning(here.pid), 'it was stopped while someone needs it');
  }
  await here.close();
  assert.equal(isRunning(here.pid), false);
});

test('a Redis that is killed comes back on the same port with the same data', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const redis = await open(t, folder);
  const client = workerConnection(redis.url);
  t.after(() => client.disconnect());
  for (let round = 1; round <= 3; round += 1) {
    await client.rpush('rounds', round);
    const killed = redis.pid;
    process.kill(killed, 'SIGKILL');
    await until('another server', () => redis.pid !== killed);
    assert.deepEqual(await client.lrange('rounds', 0, -1), ['1', '2', '3'].slice(0, round));
  }
  assert.equal(client.options.port, (await new RedisFolder(folder).address())!.port);
});

test('two keepers of a server that is killed start one, not two', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const [one, two] = await Promise.all([open(t, folder), open(t, folder)]);
  const killed = one.pid;
  process.kill(killed, 'SIGKILL');
  await until('both see another server', () => one.pid !== killed && two.pid !== killed);
  assert.equal(one.pid, two.pid);
});

test('data outlives a stop and a start', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const first = await open(t, folder);
  await withClient(first.url, (client) => client.set('a', 'kept'));
  await first.close();
  const second = await open(t, folder);
  assert.equal(await withClient(second.url, (client) => client.get('a')), 'kept');
});

test('a Redis that cannot be started again is given up, with an error that says so', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const gone: RetortError[] = [];
  const { log, lines } = readableLog();
  const redis = await open(t, folder, { log, maxFailures: 2, onGone: (error) => gone.push(error) });
  const { PATH } = process.env;
  process.env.PATH = '';
  t.after(() => {
    process.env.PATH = PATH;
  });
  process.kill(redis.pid, 'SIGKILL');
  await until('it is given up', () => gone.length > 0);
  assert.match(gone[0]!.message, /failed 2 times in a row/);
  assert.ok(lines.some((line) => line.includes('"level":50') && line.includes('given up')));
});

test('a port that a stranger took is left to it', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const old = await newAddress();
  const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await once(stranger.listen(old.port, '127.0.0.1'), 'listening');
  t.after(() => stranger.close());
  const files = new RedisFolder(folder);
  await files.create();
  await files.write(old);
  const redis = await open(t, folder);
  assert.notEqual((await files.address())!.port, old.port);
  assert.equal(await withClient(redis.url, (client) => client.ping()), 'PONG');
});

test('a frozen Redis is neither doubled when one starts nor left behind when it is stopped', {
  skip,
}, async (t) => {
  const folder = await temporaryFolder();
  const redis = await open(t, folder);
  const probe = await probeRedis((await new RedisFolder(folder).address())!, 2000);
  assert.equal(probe.found, 'ours');
  process.kill(redis.pid, 'SIGSTOP');
  await assert.rejects(PrivateRedis.open(folder, { log: readableLog().log }), {
    code: 'QUEUE_UNAVAILABLE',
    message: /runs but does not answer/,
  });
  if (probe.found === 'ours') assert.equal(await stopRedis(probe, 200), 'killed');
  assert.equal(isRunning(probe.found === 'ours' ? probe.pid : 0), false);
});
