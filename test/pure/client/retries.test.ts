import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { millisecondsOf, RetortApiError } from '../../../src/client/retort-api-error.ts';
import { RetortClient } from '../../../src/client/retort-client.ts';
import { bodyOf, withPeer } from '../../support/http-peer.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const problem =
  (status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    const body = { title: code, status, detail: `it is ${code}`, code, retryable: true, requestId: 'r_1' };
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(JSON.stringify({ type: '', instance: request.url, ...body, ...more }));
  };
const ok: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"d_1","state":"queued"}');
};
const cut: Answer = (_, response) => response.destroy();

/** A server that gives these answers in turn, and what it was asked. */
async function answering(
  answers: readonly Answer[],
  body: (
    client: RetortClient,
    seen: { headers: IncomingMessage['headers']; text: string }[],
  ) => Promise<void>,
) {
  const seen: { headers: IncomingMessage['headers']; text: string }[] = [];
  await withPeer(
    async (request, response) => {
      const text = (await bodyOf(request)).toString('latin1');
      seen.push({ headers: request.headers, text });
      answers[seen.length - 1]!(request, response);
    },
    (url) => body(new RetortClient({ url, token: 'secret' }), seen),
  );
}

const now = { 'retry-after': '0' };
const input = { teacher: new Blob(['teacher']), dataset: new Blob(['rows']) };

test('a problem document becomes a RetortApiError with all it says', () =>
  answering(
    [
      problem(422, 'ONNX_INVALID', {
        hint: 'Look at it.',
        problems: ['a', 'b'],
        facts: { nodes: 2 },
        retryable: false,
      }),
    ],
    async (client) => {
      const error = await client.distillations.get('d_1').catch((thrown: unknown) => thrown);
      assert.ok(error instanceof RetortApiError);
      const { code, status, message, hint, problems, facts, retryable, requestId } = error;
      assert.deepEqual(
        { code, status, message, hint, problems, facts, retryable, requestId },
        {
          code: 'ONNX_INVALID',
          status: 422,
          message: 'it is ONNX_INVALID',
          hint: 'Look at it.',
          problems: ['a', 'b'],
          facts: { nodes: 2 },
          retryable: false,
          requestId: 'r_1',
        },
      );
    },
  ));

test('what is no problem document is told as such, with the code of its status', () =>
  answering(
    [(_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nginx</h1>')],
    async (client) => {
      await assert.rejects(client.distillations.get('d_1'), {
        code: 'NOT_FOUND',
        hint: /no answer of Retort/,
      });
    },
  ));

test('429 and 503 with Retry-After, gateways and broken connections are asked again', () =>
  answering(
    [problem(429, 'RATE_LIMITED', {}, now), problem(503, 'SERVICE_STOPPING', {}, now), cut, ok],
    async (client, seen) => {
      assert.equal((await client.distillations.get('d_1')).id, 'd_1');
      assert.equal(seen.length, 4);
      assert.ok(seen.every(({ headers }) => headers.authorization === 'Bearer secret'));
    },
  ));

test('a quota that names no time, and a wait that is too long, are not waited for', async () => {
  await answering([problem(429, 'RATE_LIMITED')], (client) =>
    assert.rejects(client.distillations.get('d_1'), { code: 'RATE_LIMITED' }),
  );
  await answering([problem(503, 'SERVICE_STOPPING', {}, { 'retry-after': '3600' })], (client) =>
    assert.rejects(client.distillations.get('d_1'), { code: 'SERVICE_STOPPING', retryAfter: 3_600_000 }),
  );
});

test('a create is repeated whole under one idempotency key of its own', () =>
  answering([cut, problem(503, 'QUEUE_UNAVAILABLE', {}, now), ok], async (client, seen) => {
    await client.distillations.create(input);
    const keys = new Set(seen.map(({ headers }) => headers['idempotency-key']));
    assert.equal(keys.size, 1);
    assert.match([...keys][0] as string, /^[0-9a-f]{32}$/);
    for (const { text } of seen.slice(1)) assert.match(text, /teacher[\s\S]*rows/);
  }));

test('two creates have two keys, and a key that is given is used', () =>
  answering([ok, ok, ok], async (client, seen) => {
    await client.distillations.create(input);
    await client.distillations.create(input);
    await client.distillations.create({ ...input, idempotencyKey: 'mine' });
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    assert.equal(new Set(keys).size, 3);
    assert.equal(keys[2], 'mine');
  }));

test('what would do a thing twice is not repeated', () =>
  answering([cut], async (client, seen) => {
    await assert.rejects(client.distillations.retry('d_1'), { code: 'SERVICE_UNREACHABLE', status: 0 });
    assert.equal(seen.length, 1);
  }));

test('an abort ends the waiting between two tries', () =>
  answering([problem(503, 'SERVICE_STOPPING', {}, { 'retry-after': '60' })], async (client) => {
    const begun = Date.now();
    const signal = AbortSignal.timeout(200);
    await assert.rejects(client.distillations.get('d_1', { signal }), { name: 'TimeoutError' });
    assert.ok(Date.now() - begun < 5000);
  }));

test('a server that is not there is named without the credentials of its URL', async () => {
  const client = new RetortClient({
    url: 'http://127.0.0.1:9/retort',
    fetch: () => fetch('http://127.0.0.1:9'),
  });
  await assert.rejects(client.distillations.retry('d_1'), {
    code: 'SERVICE_UNREACHABLE',
    message: /^http:\/\/127\.0\.0\.1:9 cannot be reached/,
  });
});

test('health tells a server that is not there from one that cannot work yet', async () => {
  const client = new RetortClient({ url: 'http://127.0.0.1:9' });
  assert.deepEqual(await client.health(), { alive: false, ready: false });
  await withPeer(
    (request, response) => response.writeHead(request.url === '/base/healthz' ? 200 : 503).end(),
    async (url) => {
      assert.deepEqual(await new RetortClient({ url: `${url}/base` }).health(), {
        alive: true,
        ready: false,
      });
    },
  );
});

test('Retry-After is seconds or a date', () => {
  assert.equal(millisecondsOf('3', 0), 3000);
  assert.equal(millisecondsOf('Thu, 01 Jan 1970 00:00:10 GMT', 4000), 6000);
  assert.equal(millisecondsOf('Thu, 01 Jan 1970 00:00:10 GMT', 20_000), 0);
  assert.equal(millisecondsOf('soon', 0), undefined);
  assert.equal(millisecondsOf(null, 0), undefined);
});
