import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { InlineDispatcher } from '../../src/adapters/queue/inline-dispatcher.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Problem } from '../../src/contract/problem.ts';
import { RetortError } from '../../src/errors.ts';
import { Keys } from '../../src/service/keys/keys.ts';
import { rawRequest, startServer } from '../support/api-server.ts';
import { until } from '../support/until.ts';

const auth = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** A server that demands keys, with one key of each scope. */
async function keyServer(settings: Record<string, string> = {}) {
  const keys = new Keys({ jobs: new MemoryJobs(), clock: systemClock });
  const make = async (scope: 'read' | 'write' | 'admin', limits = {}) =>
    (await keys.create({ name: scope, scopes: [scope], limits })).token;
  const tokens = { read: await make('read'), write: await make('write'), admin: await make('admin') };
  const hurried = await make('write', { requestsPerMinute: 3 });
  const verifyKey = (token: string) => keys.verify(token);
  const server = await startServer({ RETORT_AUTH: 'keys', ...settings }, { verifyKey });
  return { server, tokens, hurried };
}

test('without a valid key there is nothing but probes and explanations', async () => {
  const { server, tokens } = await keyServer();
  for (const path of ['/healthz', '/readyz', '/v1/errors/NOT_FOUND'])
    assert.equal((await fetch(server.url + path)).status, 200, path);
  for (const [path, init] of [
    ['/v1/models', {}],
    ['/v1/models', auth('rt_x_guess')],
    ['/v1/models', auth(`${tokens.read}x`)],
    ['/v1/nothing', {}],
  ] as const) {
    const response = await fetch(server.url + path, init);
    assert.deepEqual(
      [response.status, ((await response.json()) as Problem).code],
      [401, 'AUTH_REQUIRED'],
      path,
    );
    assert.match(response.headers.get('www-authenticate')!, /^Bearer/);
  }
  await server.close();
});

test('a key may do what its scopes say', async () => {
  const { server, tokens } = await keyServer();
  const status = async (token: string, method: string, path: string) =>
    (await fetch(server.url + path, { method, ...auth(token) })).status;
  const model = '/v1/models/m_00000000000000000000000000';
  assert.deepEqual(
    [await status(tokens.read, 'GET', '/v1/models'), await status(tokens.read, 'DELETE', model)],
    [200, 403],
  );
  assert.deepEqual(
    [await status(tokens.write, 'GET', '/v1/models'), await status(tokens.write, 'DELETE', model)],
    [200, 404],
  );
  assert.equal(await status(tokens.admin, 'DELETE', model), 404);
  assert.equal(await status(tokens.read, 'GET', '/v1/nothing'), 404);
  await server.close();
});

test('a key is asked for before any byte of the body is taken', async () => {
  const { server } = await keyServer();
  const { text, milliseconds } = await rawRequest(server.port, (write) =>
    write(
      'POST /v1/models HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\n' +
        'content-length: 9000000000\r\n\r\n--b\r\n',
    ),
  );
  assert.match(text, /^HTTP\/1\.1 401 /);
  assert.ok(milliseconds < 2_000);
  await server.close();
});

test('metrics and docs are open on loopback; elsewhere they need a key', async () => {
  const near = await keyServer();
  for (const path of ['/metrics', '/docs/', '/openapi.json'])
    assert.equal((await fetch(near.server.url + path)).status, 200, path);
  await near.server.close();
  const far = await keyServer({ RETORT_HOST: '0.0.0.0' });
  const status = async (path: string, token: string) =>
    (await fetch(far.server.url + path, auth(token))).status;
  assert.deepEqual([await status('/metrics', 'none'), await status('/docs/', 'none')], [401, 401]);
  const { read, admin } = far.tokens;
  assert.deepEqual([await status('/metrics', read), await status('/docs/', read)], [403, 200]);
  assert.equal(await status('/metrics', admin), 200);
  await far.server.close();
});

test('off loopback the service does not start without keys, unless it is told to', async () => {
  await assert.rejects(startServer({ RETORT_HOST: '0.0.0.0' }), { code: 'SERVICE_SETUP' });
  const server = await startServer({ RETORT_HOST: '0.0.0.0', RETORT_AUTH: 'off' });
  assert.equal((await fetch(`${server.url}/v1/models`)).status, 200);
  await server.close();
});

test('without keys, pages of other sites and other names of this machine get nothing', async () => {
  const server = await startServer();
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${server.url}/v1/models`, { headers })).status;
  assert.equal(await status({ origin: 'https://evil.example' }), 403);
  assert.equal(await status({ origin: 'null' }), 403);
  assert.equal(await status({ origin: server.url }), 200);
  const { text } = await rawRequest(server.port, (write) =>
    write('GET /v1/models HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n'),
  );
  assert.match(text, /^HTTP\/1\.1 403 /);
  await server.close();
});

test('requests are counted for each key, and guesses for each address', async () => {
  const { server, tokens, hurried } = await keyServer({ RETORT_RATE_LIMIT: '5' });
  const ask = (token: string) => fetch(`${server.url}/v1/models`, auth(token));
  for (let left = 2; left >= 0; left--) {
    const response = await ask(hurried);
    assert.deepEqual([response.status, response.headers.get('x-ratelimit-remaining')], [200, String(left)]);
  }
  const refused = await ask(hurried);
  const problem = (await refused.json()) as Problem;
  assert.deepEqual([refused.status, problem.code, problem.retryable], [429, 'RATE_LIMITED', true]);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await ask(tokens.read)).status, 200);
  const guesses: number[] = [];
  for (let i = 0; i < 7; i++) guesses.push((await ask(`rt_guess${i}_x`)).status);
  assert.deepEqual(guesses, [401, 401, 401, 401, 401, 429, 429]);
  assert.equal((await ask(tokens.read)).status, 200);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  await server.close();
});

test('readiness tells which part is missing', async () => {
  class AwayDispatcher extends InlineDispatcher {
    override counts(): Promise<never> {
      return Promise.reject(new RetortError('QUEUE_UNAVAILABLE', 'Redis does not answer'));
    }
  }
  const server = await startServer({}, { dispatcher: new AwayDispatcher(), freeBytes: async () => 1000 });
  const response = await fetch(`${server.url}/readyz`);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), {
    ready: false,
    checks: {
      running: { ok: true, detail: 'yes' },
      store: { ok: true, detail: 'a record was written and removed' },
      queue: { ok: false, detail: 'Redis does not answer' },
      disk: { ok: false, detail: '0 MiB free' },
    },
  });
  assert.deepEqual(await server.jobs.list({ prefix: 'probe/' }), []);
  assert.equal((await fetch(`${server.url}/metrics`)).status, 200);
  await server.close();
});

test('a server that closes answers what is still asked of it, and lets go of idle connections', async () => {
  let working = false;
  const server = await startServer({}, {}, (app) => {
    app.get('/test/slow', () => {
      working = true;
      return sleep(1500, { done: true });
    });
  });
  const idle = connect(server.port, '127.0.0.1').resume();
  const gone = once(idle, 'close');
  idle.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(idle, 'data');
  let ask = (_path: string): void => {};
  const busy = rawRequest(server.port, (write) => {
    ask = (path) => write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    ask('/test/slow');
  });
  await until('the slow request is worked on', () => working);
  const closed = server.close();
  // Only then: it goes while the slow request is worked on.
  await gone;
  ask('/v1/models');
  const { text } = await busy;
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*"done":true/);
  assert.match(text, /HTTP\/1\.1 503 [\s\S]*retry-after: 5[\s\S]*"code":"SERVICE_STOPPING"/i);
  await closed;
});

test('metrics count requests by the pattern of their route', async () => {
  const server = await startServer();
  await fetch(`${server.url}/v1/models/m_00000000000000000000000000`);
  const form = new FormData();
  form.append('model', new Blob(['a model of 24 bytes here']));
  await fetch(`${server.url}/v1/models`, { method: 'POST', body: form });
  const text = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(text, /duration_seconds_count\{method="GET",route="\/v1\/models\/:id",status="404"\} 1/);
  assert.match(text, /retort_upload_bytes_total 24\n/);
  assert.match(text, /retort_queue_entries\{state="waiting"\} 0/);
  assert.match(text, /retort_jobs\{state="queued"\} 0/);
  assert.ok(!text.includes('m_0000'));
  await server.close();
});
