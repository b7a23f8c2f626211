import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { Problem } from '../../src/contract/problem.ts';
import { closed } from '../../src/contract/shared.ts';
import { catalogue } from '../../src/errors.ts';
import { rawRequest, startServer, type TestServer } from '../support/api-server.ts';

let server: TestServer;
before(async () => {
  server = await startServer({}, { times: { headers: 400, connectionCheck: 100, body: 400 } }, (app) => {
    const body = Type.Object(
      { count: Type.Integer({ minimum: 1 }), name: Type.Optional(Type.String({ default: 'none' })) },
      closed,
    );
    app.post('/test/echo', { schema: { body } }, async ({ body: given }) => given);
    app.get('/test/bug', async () => {
      throw new Error('secret path /etc/shadow');
    });
    app.get('/test/full', async () => {
      throw new Error('write failed', {
        cause: Object.assign(new Error('ENOSPC: /data/x'), { code: 'ENOSPC' }),
      });
    });
  });
});
after(() => server.close());

interface Operation {
  readonly responses: Record<string, unknown>;
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
}

async function problem(response: Response): Promise<Problem> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const body = (await response.json()) as Problem;
  assert.ok(Check(Problem, body), JSON.stringify(body));
  assert.equal(body.status, response.status);
  assert.equal(body.requestId, response.headers.get('x-request-id'));
  return body;
}
const post = (body: string, type = 'application/json') =>
  fetch(`${server.url}/test/echo`, { method: 'POST', body, headers: { 'content-type': type } });

test('an unknown route is a problem that names it', async () => {
  const body = await problem(await fetch(`${server.url}/v1/nothing?secret=1`));
  assert.equal(body.code, 'NOT_FOUND');
  assert.equal(body.instance, '/v1/nothing');
});

test('broken JSON, another content type, an unknown key and a wrong type are told apart', async () => {
  assert.deepEqual(await (await post('{"count": 2}')).json(), { count: 2 });
  const broken = await problem(await post('{"count": '));
  assert.deepEqual([broken.status, broken.code], [400, 'REQUEST_INVALID']);
  const media = await problem(await post('<a/>', 'application/xml'));
  assert.deepEqual([media.status, media.code], [415, 'REQUEST_INVALID']);
  const wrong = await problem(await post('{"count": "2", "nmae": 1}'));
  assert.deepEqual(wrong.problems, ['/count must be integer', '/nmae is not known; did you mean "name"?']);
});

test('text of a query becomes a number; a wrong one names its place', async () => {
  assert.equal((await fetch(`${server.url}/v1/models?limit=5`)).status, 200);
  const body = await problem(await fetch(`${server.url}/v1/models?limit=lots&after=1`));
  assert.equal(body.code, 'REQUEST_INVALID');
  assert.deepEqual(body.problems, ['/limit must be integer', '/after is not known']);
});

test('a distillation has 64 companions at most', async () => {
  const companions = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`c${i}`, 'u_1']));
  const body = JSON.stringify({ teacher: 'm_1', dataset: 'ds_1', companions });
  const headers = { 'content-type': 'application/json' };
  const found = await problem(
    await fetch(`${server.url}/v1/distillations`, { method: 'POST', body, headers }),
  );
  assert.equal(found.code, 'REQUEST_INVALID');
  assert.deepEqual(found.problems, ['/companions must not have more than 64 properties']);
});

test('a body that is too large is refused', async () => {
  const body = await problem(await post(JSON.stringify({ count: 1, name: 'x'.repeat(2 ** 20) })));
  assert.deepEqual([body.status, body.code], [413, 'UPLOAD_TOO_LARGE']);
});

test('a bug says nothing of itself; a full disk says so', async () => {
  const bug = await fetch(`${server.url}/test/bug`);
  const text = await bug.clone().text();
  assert.equal((await problem(bug)).code, 'INTERNAL');
  assert.ok(!text.includes('shadow'));
  const full = await problem(await fetch(`${server.url}/test/full`));
  assert.deepEqual([full.status, full.code, full.retryable], [507, 'STORE_FULL', true]);
  assert.ok(!JSON.stringify(full).includes('/data'));
});

test('what a problem points to explains its code', async () => {
  const { type } = await problem(await fetch(`${server.url}/v1/nothing`));
  const entry = (await (await fetch(server.url + type)).json()) as { meaning: string };
  assert.equal(entry.meaning, catalogue.NOT_FOUND.meaning);
});

test('a harmless request id is kept, another is replaced', async () => {
  const ask = async (id: string) =>
    (await fetch(`${server.url}/healthz`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
  assert.equal(await ask('my-id.1'), 'my-id.1');
  assert.match((await ask('two words'))!, /^[0-9a-f-]{36}$/);
  assert.match((await ask('x'.repeat(65)))!, /^[0-9a-f-]{36}$/);
});

test('headers that are too large, no HTTP at all and headers that never end are answered and cut off', async () => {
  const large = await rawRequest(server.port, (write) =>
    write(`GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
  );
  assert.match(
    large.text,
    /^HTTP\/1\.1 431 [\s\S]*application\/problem\+json[\s\S]*"code":"REQUEST_INVALID"/,
  );
  const junk = await rawRequest(server.port, (write) => write('what is this?\r\n\r\n'));
  assert.match(junk.text, /^HTTP\/1\.1 400 /);
  const drip = await rawRequest(server.port, (write) => {
    write('GET /healthz HTTP/1.1\r\n');
    const timer = setInterval(() => write('a'), 50).unref();
    setTimeout(() => clearInterval(timer), 3_000).unref();
  });
  assert.match(drip.text, /^HTTP\/1\.1 408 /);
  assert.ok(drip.milliseconds < 2_500, `${drip.milliseconds} ms`);
});

test('a small body that does not come in time is ended with 408', async () => {
  const { text, milliseconds } = await rawRequest(server.port, (write) => {
    write(
      'POST /test/echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    const timer = setInterval(() => write(' '), 100).unref();
    setTimeout(() => clearInterval(timer), 5_000).unref();
  });
  assert.match(text, /^HTTP\/1\.1 408 [\s\S]*connection: close[\s\S]*UPLOAD_TOO_SLOW/i);
  assert.ok(milliseconds < 2_500, `${milliseconds} ms`);
});

test('the OpenAPI document describes the routes, and its page loads', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
  };
  assert.equal(document.openapi, '3.1.0');
  assert.ok(document.paths['/v1/models']!.post!.responses['4XX']);
  const { content } = document.paths['/v1/distillations']!.post!.requestBody!;
  assert.deepEqual(Object.keys(content).sort(), ['application/json', 'multipart/form-data']);
  assert.deepEqual(document.paths['/healthz']!.get!.security, []);
  const page = await fetch(`${server.url}/docs/`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-security-policy')!, /default-src 'self'/);
});
