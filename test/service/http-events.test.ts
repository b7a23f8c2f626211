import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createContext } from '../../src/api/context.ts';
import { EventStream } from '../../src/api/event-stream.ts';
import { rawRequest, startServer } from '../support/api-server.ts';

const GET = 'GET /test/events HTTP/1.1\r\nhost: localhost\r\n\r\n';
const times = { heartbeat: 100, stalled: 400 };

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
    await sleep(350);
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
  const server = await eventServer(async (stream) => {
    stream.signal.addEventListener('abort', () => ended.push(true));
    await new Promise((resolve) => stream.signal.addEventListener('abort', resolve));
    ended.push(await stream.send({ data: 'nobody' }));
  });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(GET);
  await sleep(100);
  socket.destroy();
  for (let i = 0; i < 50 && ended.length < 2; i++) await sleep(20);
  assert.deepEqual(ended, [true, false]);
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
  await sleep(250);
  const held = sent;
  assert.ok(held < 400, `${held} events were written into the void`);
  for (let i = 0; i < 100 && !ended; i++) await sleep(20);
  assert.ok(ended);
  assert.ok(sent - held < 10);
  socket.destroy();
  await server.close();
});

test('closing the server ends event streams at once, and refuses new requests with a problem', async () => {
  const server = await eventServer(async (stream) => {
    await new Promise((resolve) => stream.signal.addEventListener('abort', resolve));
  });
  const events = rawRequest(server.port, (write) => write(GET));
  await sleep(100);
  const began = performance.now();
  await server.close();
  assert.ok(performance.now() - began < 2_000);
  assert.match((await events).text, /retry: 2000/);
});
