import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { createContext } from '../../src/api/context.ts';
import { EventStream } from '../../src/api/event-stream.ts';
import type { Distillation } from '../../src/contract/distillation.ts';
import { Keys } from '../../src/service/keys/keys.ts';
import { rawRequest, startServer } from '../support/api-server.ts';
import { until } from '../support/until.ts';

const GET = 'GET /test/events HTTP/1.1\r\nhost: localhost\r\n\r\n';
const times = { heartbeat: 100, stalled: 2000 };

/** A server with one event stream route; `run` is what it does with each stream. */
const eventServer = (run: (stream: EventStream) => Promise<void>) =>
  startServer({}, { times }, (app, given) => {
    const context = createContext(given);
    app.get('/test/events', async (_request, reply) => {
      await run(EventStream.open(reply, context));
      return reply;
    });
    app.addHook('preClose', async () => {
      for (const stream of context.streams) stream.end();
    });
  });

test('events are framed with their ids, and silence is broken by heartbeats', async () => {
  const server = await eventServer(async (stream) => {
    await stream.send({ id: 1, event: 'state', data: { state: 'queued', text: 'two\nlines' } });
    await sleep(1500);
    await stream.send({ id: 2, data: 'last' });
    stream.end();
  });
  const response = await fetch(`${server.url}/test/events`);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.ok(response.headers.get('x-request-id'));
  const text = await response.text();
  assert.match(
    text,
    /^retry: 2000\n\nid: 1\nevent: state\ndata: \{"state":"queued","text":"two\\nlines"\}\n\n/,
  );
  assert.ok(text.split(': still here\n\n').length >= 3, text);
  assert.match(text, /id: 2\ndata: "last"\n\n$/);
  await server.close();
});

test('the sender learns that its client has gone', async () => {
  const ended: boolean[] = [];
  let open = false;
  const server = await eventServer(async (stream) => {
    open = true;
    stream.signal.addEventListener('abort', () => ended.push(true));
    await new Promise((resolve) => stream.signal.addEventListener('abort', resolve));
    ended.push(await stream.send({ data: 'nobody' }));
  });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(GET);
  await until('the stream is open', () => open);
  socket.destroy();
  await until('the sender knows', () => ended.length === 2);
  assert.deepEqual(ended, [true, false]);
  await server.close();
});

test('a stream for a client that has gone before it opens ends at once', async () => {
  let begun = false;
  let aborted: boolean | undefined;
  const server = await startServer({}, { times }, (app, given) => {
    const context = createContext(given);
    app.get('/test/events', async (_request, reply) => {
      begun = true;
      await sleep(1000);
      aborted = EventStream.open(reply, context).signal.aborted && context.streams.size === 0;
      return reply;
    });
  });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(GET);
  await until('the request is there', () => begun);
  socket.destroy();
  await until('the stream was opened', () => aborted !== undefined);
  assert.equal(aborted, true);
  await server.close();
});

test('a client that does not read holds the sender back, not our memory, and is given up', async () => {
  let sent = 0;
  let ended = false;
  const server = await eventServer(async (stream) => {
    while (await stream.send({ data: 'x'.repeat(100_000) })) sent++;
    ended = true;
  });
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(GET);
  let held = 0;
  await until('no more is sent', async () => {
    held = sent;
    await sleep(250);
    return sent > 0 && sent === held;
  });
  assert.ok(held < 400, `${held} events were written into the void`);
  await until('it is given up', () => ended);
  assert.ok(sent - held < 10);
  socket.destroy();
  await server.close();
});

test('closing the server ends event streams at once, and refuses new requests with a problem', async () => {
  let open = false;
  const server = await eventServer(async (stream) => {
    open = true;
    await new Promise((resolve) => stream.signal.addEventListener('abort', resolve));
  });
  const events = rawRequest(server.port, (write) => write(GET));
  await until('the stream is open', () => open);
  const began = performance.now();
  await server.close();
  assert.ok(performance.now() - began < 2_000);
  assert.match((await events).text, /retry: 2000/);
});

/** A server that demands keys, with one key and a job of it that nobody works on. */
async function waitingJob() {
  const keys = new Keys({ jobs: new MemoryJobs(), clock: systemClock });
  const { key, token } = await keys.create({ name: 'ann', scopes: ['write'] });
  const server = await startServer({ RETORT_AUTH: 'keys' }, { verifyKey: (given) => keys.verify(given) });
  const headers = { authorization: `Bearer ${token}` };
  const body = new FormData();
  body.append('teacher', new Blob(['teacher']), 'teacher.onnx');
  body.append('dataset', new Blob(['data']), 'data.zip');
  const made = await fetch(`${server.url}/v1/distillations`, { method: 'POST', body, headers });
  assert.equal(made.status, 202, await made.clone().text());
  const events = `${server.url}${((await made.json()) as Distillation).urls.events}`;
  return {
    server,
    events,
    headers: { ...headers, accept: 'text/event-stream' },
    revoke: () => keys.revoke(key.id),
  };
}

test('a stream ends within 5 s of the revocation of its key', async () => {
  const { server, events, headers, revoke } = await waitingJob();
  const stream = await fetch(events, { headers });
  assert.equal(stream.status, 200);
  const text = stream.text();
  // Longer than a reader sleeps: with a valid key it stays.
  assert.equal(await Promise.race([text, sleep(2_500, 'open')]), 'open');
  await revoke();
  const began = performance.now();
  assert.doesNotMatch(await text, /event: end/);
  assert.ok(performance.now() - began < 5_000);
  assert.equal((await fetch(events, { headers })).status, 401);
  await server.close();
});

test('a HEAD of the events is answered, streams accepted or not', async () => {
  const { server, events, headers } = await waitingJob();
  const response = await fetch(events, { method: 'HEAD', headers, signal: AbortSignal.timeout(5_000) });
  assert.deepEqual([response.status, await response.text()], [200, '']);
  await server.close();
});
