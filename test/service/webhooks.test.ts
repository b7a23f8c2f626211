import assert from 'node:assert/strict';
import dns from 'node:dns';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook as Verifier } from 'standardwebhooks';
import { SendWebhook } from '../../src/adapters/http/send-webhook.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { Deliverer } from '../../src/service/webhooks/deliverer.ts';
import { schedule } from '../../src/service/webhooks/delivery.ts';
import { Webhooks } from '../../src/service/webhooks/webhooks.ts';
import { ManualClock } from '../support/job-draft.ts';

/** Webhooks over real connections, to a receiver on this machine. */

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function listen(server: Server, t: TestContext): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function receiver(t: TestContext, answer: (response: ServerResponse, nth: number) => void) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(response, received.length);
  });
  t.after(() => server.closeAllConnections());
  const port = await listen(server, t);
  return { received, port, url: `http://127.0.0.1:${port}/hook?a=b` };
}

const post = (url: string) => ({ url, body: '{"ü":1}', headers: { 'content-type': 'application/json' } });
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();
const sender = (timeoutMs = 5000) => new SendWebhook({ allowPrivate: true, timeoutMs });

function service(timeoutMs?: number) {
  const jobs = new MemoryJobs();
  const clock = new ManualClock();
  clock.time = Date.now();
  const webhooks = new Webhooks({ jobs, clock, allowPrivate: true });
  const deliverer = () =>
    new Deliverer({
      jobs,
      clock,
      sender: sender(timeoutMs),
      userAgent: 'retort/test',
      onTrouble: (error) => assert.fail(String(error)),
      random: () => 0.5,
    });
  const enqueue = (job: string) =>
    webhooks.enqueue('local', 'distillation.succeeded', {
      job,
      occurrence: '1.1',
      at: clock.time,
      data: { id: job },
    });
  const deliveries = (id: string) => webhooks.deliveries('local', id, { limit: 100 });
  return { clock, webhooks, deliverer, enqueue, deliveries };
}

test('a receiver that fails twice gets the message a third time; every one of them verifies', async (t) => {
  const sink = await receiver(t, (response, nth) => void response.writeHead(nth <= 2 ? 500 : 200).end('ok'));
  const { webhooks, deliverer, enqueue, clock, deliveries } = service();
  const webhook = await webhooks.create('local', { url: sink.url });
  await enqueue('d_1');
  const one = deliverer();
  for (const wait of [0, schedule[0]!, schedule[1]!, 0, 60_000]) {
    clock.time += wait;
    await one.tick();
  }
  assert.equal(sink.received.length, 3);
  for (const { headers, body, path } of sink.received) {
    const payload = new Verifier(webhook.secret).verify(body, headers as Record<string, string>);
    assert.deepEqual((payload as { data: unknown }).data, { id: 'd_1' });
    assert.deepEqual(
      [path, headers['content-type'], headers['user-agent'], headers.host],
      ['/hook?a=b', 'application/json', 'retort/test', `127.0.0.1:${sink.port}`],
    );
  }
  assert.equal(new Set(sink.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  const [delivery] = await deliveries(webhook.id);
  assert.equal(delivery!.state, 'delivered');
  assert.deepEqual(
    delivery!.attempts.map((attempt) => attempt.status),
    [500, 500, 200],
  );
  await webhooks.redeliver('local', webhook.id, delivery!.id);
  await one.tick();
  assert.equal(sink.received.length, 4);
  assert.equal(sink.received[3]!.headers['webhook-id'], delivery!.id);
});

test('two processes at once send each message once', async (t) => {
  const sink = await receiver(t, (response) => void sleep(20).then(() => response.end()));
  const { webhooks, deliverer, enqueue } = service();
  for (let hook = 0; hook < 3; hook++) await webhooks.create('local', { url: sink.url });
  for (let job = 0; job < 5; job++) await enqueue(`d_${job}`);
  const both = [deliverer(), deliverer()];
  for (let round = 0; round < 6; round++) await Promise.all(both.map((each) => each.tick()));
  assert.equal(sink.received.length, 15);
  assert.equal(new Set(sink.received.map(({ headers }) => headers['webhook-id'])).size, 15);
});

test('a receiver that never answers is left after the time limit, and the attempt has failed', async (t) => {
  const sink = await receiver(t, () => {});
  const { webhooks, deliverer, enqueue, deliveries } = service(200);
  const webhook = await webhooks.create('local', { url: sink.url });
  await enqueue('d_1');
  const started = performance.now();
  await deliverer().tick();
  const took = performance.now() - started;
  assert.ok(took >= 190 && took < 2000, `${took} ms`);
  const [delivery] = await deliveries(webhook.id);
  assert.equal(delivery!.state, 'pending');
  assert.deepEqual(
    delivery!.attempts.map(({ status, error }) => [status, error]),
    [[null, 'no answer within 0.2 s']],
  );
});

test('the time limit also ends a receiver that says a little now and then, and one that never ends its answer', async (t) => {
  const drip = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write('x: y\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const port = await listen(drip, t);
  assert.deepEqual(await sender(300).post(post(`http://127.0.0.1:${port}/`)), {
    status: null,
    error: 'no answer within 0.3 s',
  });
  // The status is there: the receiver has taken the message.
  const endless = await receiver(t, (response) => void response.writeHead(202).write('x'));
  assert.deepEqual(await sender(300).post(post(endless.url)), { status: 202, error: null });
});

test('of a large answer only the beginning is read', async (t) => {
  let written = 0;
  let closed: Promise<void> | undefined;
  const sink = await receiver(t, (response) => {
    closed = new Promise((resolve) => response.on('close', resolve));
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536;
    };
    response.on('drain', more);
    more();
  });
  const started = performance.now();
  assert.deepEqual(await sender(20_000).post(post(sink.url)), { status: 200, error: null });
  assert.ok(performance.now() - started < 10_000, 'not read until the time was up');
  await closed;
  assert.ok(written < 64 * 2 ** 20, `${written} bytes`);
});

test('redirects are answers like any other and lead nowhere', async (t) => {
  const inside = await receiver(t, status(200));
  for (const code of [301, 302, 303, 307, 308]) {
    const sink = await receiver(
      t,
      (response) => void response.writeHead(code, { location: inside.url }).end(),
    );
    assert.deepEqual(await sender().post(post(sink.url)), { status: code, error: null });
  }
  assert.equal(inside.received.length, 0);
});

test('private addresses get no connection, whether written out or behind a name', async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  const port = await listen(server, t);
  const strict = new SendWebhook({ allowPrivate: false, timeoutMs: 5000 });
  const hosts = [
    ...['127.0.0.1', 'localhost', 'localhost.', '2130706433', '0x7f000001', '127.1', '0.0.0.0', '[::1]'],
    ...['[::ffff:127.0.0.1]', '[::7f00:1]', '[::]', '10.0.0.1', '169.254.169.254', '[fe80::1]', '[fd00::1]'],
  ];
  for (const scheme of ['http', 'https'])
    for (const host of hosts) {
      const answer = await strict.post(post(`${scheme}://${host}:${port}/`));
      assert.deepEqual(answer, { status: null, error: 'the host resolves to a private address' }, host);
    }
  assert.equal(connections, 0);
  const answer = await sender().post(post(`http://user:secret@127.0.0.1:${port}/`));
  assert.deepEqual([answer.status, answer.error, connections], [null, 'the URL holds credentials', 0]);
});

test('a name is looked up once, by the sender; the connection asks nobody again, and its Host header is the name', async (t) => {
  const sink = await receiver(t, status(204));
  const again = t.mock.method(dns, 'lookup', () => assert.fail('the connection looked the name up'));
  const answer = await sender().post(post(`http://localhost:${sink.port}/`));
  assert.deepEqual(answer, { status: 204, error: null });
  assert.equal(again.mock.callCount(), 0);
  assert.equal(sink.received[0]!.headers.host, `localhost:${sink.port}`);
  assert.equal(sink.received[0]!.body, '{"ü":1}');
});

test('what went wrong is told in a word: no such host, nobody listens, no HTTP, no TLS, cut off', async (t) => {
  const sink = await receiver(t, (response) => void response.socket!.destroy());
  const noise = createTcpServer(
    (socket) =>
      void socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-x\r\n\r\n'),
  );
  const noisePort = await listen(noise, t);
  const free = createTcpServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port: freePort } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const errors: Record<string, RegExp> = {
    // The last one where the packet that asks for the name is lost.
    'http://name.invalid/': /^(ENOTFOUND|EAI_AGAIN|no answer within 5 s)$/,
    [`http://127.0.0.1:${freePort}/`]: /^ECONNREFUSED$/,
    [`http://127.0.0.1:${noisePort}/`]: /^HPE_/,
    [`https://127.0.0.1:${noisePort}/`]: /^(ERR_SSL|EPROTO)/,
    [sink.url]: /^ECONNRESET$/,
  };
  for (const [url, expected] of Object.entries(errors)) {
    const { status, error } = await sender().post(post(url));
    assert.equal(status, null);
    assert.match(error!, expected, url);
  }
});
