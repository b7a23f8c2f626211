import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { RetortClient } from '../../../src/client/retort-client.ts';
import type { WatchItem, WatchOptions } from '../../../src/client/watch.ts';
import type { Event } from '../../../src/contract/distillation.ts';
import { withPeer } from '../../support/http-peer.ts';

const COUNT = 40;
const event = (id: number): Event => ({
  id,
  at: '2026-01-01T00:00:00Z',
  ...(id === COUNT
    ? { type: 'state', data: { state: 'succeeded', attempt: 1 } }
    : { type: 'metrics', data: { step: id, text: 'ä\r\n' } }),
});
const frame = (id: number): string =>
  `id: ${id}\nevent: ${event(id).type}\ndata: ${JSON.stringify(event(id))}\n\n`;
const END = 'event: end\ndata: {}\n\n';
const progress = { stage: 'train', done: 3, total: 4, share: 0.75, etaSeconds: 1 };

type Streaming = (response: ServerResponse, after: number, connection: number) => Promise<void> | void;

/** A service with one job whose events are all there; how it streams them is the test's. */
async function watching(
  stream: Streaming,
  options: WatchOptions,
  body: (
    items: () => AsyncGenerator<WatchItem, void>,
    seen: { streams: number[]; pages: number },
  ) => Promise<void>,
) {
  const seen = { streams: [] as number[], pages: 0 };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url!, 'http://peer');
    if (!url.pathname.endsWith('/events')) return void response.end(JSON.stringify({ id: 'd_1', progress }));
    if (request.headers.accept === 'text/event-stream') {
      const after = Number(request.headers['last-event-id'] ?? 0);
      seen.streams.push(after);
      return stream(response, after, seen.streams.length);
    }
    seen.pages++;
    const after = Number(url.searchParams.get('after') ?? 0);
    const items = Array.from({ length: Math.min(7, COUNT - after) }, (_, i) => event(after + 1 + i));
    response.end(JSON.stringify({ items, last: after + items.length, open: false }));
  };
  await withPeer(
    (request, response) => void handle(request, response),
    (url) => body(() => new RetortClient({ url }).distillations.watch('d_1', options), seen),
  );
}

const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });
const frames = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => frame(from + i)).join('');

async function ids(items: AsyncGenerator<WatchItem, void>): Promise<number[]> {
  const found: number[] = [];
  for await (const item of items) if (item.kind === 'event') found.push(item.event.id);
  return found;
}
const all = Array.from({ length: COUNT }, (_, i) => i + 1);

test('watch gives every event once and in order, and ends after the last', () =>
  watching(
    (response, after) => void begin(response).end(`retry: 10\n\n${frames(after + 1, COUNT)}${END}`),
    {},
    async (items, seen) => {
      assert.deepEqual(await ids(items()), all);
      assert.deepEqual(seen, { streams: [0], pages: 0 });
    },
  ));

test('watch goes on where a connection broke, cut in the middle of frames and characters', () =>
  watching(
    async (response, after, connection) => {
      begin(response).write('retry: 10\n\n');
      const bytes = Buffer.from(frames(after + 1, COUNT) + END);
      // A little more of a frame each time, so that every kind of place is met.
      const cut = Math.min(bytes.length, 60 + 37 * connection);
      for (let at = 0; at < cut; at += 13) {
        response.write(bytes.subarray(at, Math.min(cut, at + 13)));
        await wait(0);
      }
      if (cut === bytes.length) response.end();
      // What was written is to arrive before the connection is reset.
      else setTimeout(() => response.destroy(), 5);
    },
    {},
    async (items, seen) => {
      assert.deepEqual(await ids(items()), all);
      assert.ok(seen.streams.length > 5, `${seen.streams.length} connections`);
    },
  ));

test('a server that sends events again or leaves some out changes nothing', () =>
  watching(
    (response) => void begin(response).end(frames(1, 3) + frames(2, 5) + frames(30, 32) + frames(31, COUNT)),
    {},
    async (items) => assert.deepEqual(await ids(items()), all),
  ));

test('watch starts after the event that is known, and ends at once where that was the last', () =>
  watching(
    (response, after) => void begin(response).end(frames(after + 1, COUNT) + END),
    { after: 38 },
    async (items) => assert.deepEqual(await ids(items()), [39, 40]),
  ).then(() =>
    watching(
      (response) => void begin(response).end(END),
      { after: COUNT },
      async (items, seen) => {
        assert.deepEqual(await ids(items()), []);
        assert.deepEqual(seen, { streams: [COUNT], pages: 1 });
      },
    ),
  ));

test('progress is passed on, and is no event', () =>
  watching(
    (response) =>
      void begin(response).end(
        `${frame(1)}event: progress\ndata: ${JSON.stringify(progress)}\n\n${frames(2, COUNT)}`,
      ),
    {},
    async (items) => {
      const found: WatchItem[] = [];
      for await (const item of items()) found.push(item);
      assert.deepEqual(found[1], { kind: 'progress', progress });
      assert.equal(found.length, COUNT + 1);
    },
  ));

const noStreams: Readonly<Record<string, Streaming>> = {
  'is refused': (response) => void response.writeHead(406).end(),
  'is a page of something else': (response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
  'is held back by a proxy': (response) => void begin(response).flushHeaders(),
  'breaks before its first byte': (response) => void response.destroy(),
};
for (const [title, stream] of Object.entries(noStreams)) {
  test(`watch reads pages where the stream ${title}`, () =>
    watching(stream, { idleMs: 200, pollMs: 20 }, async (items, seen) => {
      assert.deepEqual(await ids(items()), all);
      assert.ok(seen.pages >= COUNT / 7);
    }));
}

test('a job that is not there, or not ours, ends the watch', () =>
  watching(
    (response) => {
      const body = { code: 'NOT_FOUND', detail: 'there is no distillation d_1', retryable: false };
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
    },
    {},
    async (items) => assert.rejects(ids(items()), { code: 'NOT_FOUND' }),
  ));

test('a server that stays away is given up after a while', async () => {
  const { distillations } = new RetortClient({ url: 'http://127.0.0.1:9' });
  const items = distillations.watch('d_1', { giveUpMs: 300 });
  await assert.rejects(ids(items), { code: 'SERVICE_UNREACHABLE' });
});

test('an abort ends the watch, and leaving it closes the connection', async () => {
  let closed = (): void => {};
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const stream: Streaming = (response) => {
    begin(response).write(frames(1, 3));
    response.on('close', closed);
  };
  const stop = new AbortController();
  await watching(stream, { signal: stop.signal }, async (items) => {
    await assert.rejects(
      async () => {
        for await (const item of items()) if (item.kind === 'event' && item.event.id === 3) stop.abort();
      },
      { name: 'AbortError' },
    );
  });
  await watching(stream, {}, async (items) => {
    for await (const item of items()) if (item.kind === 'event' && item.event.id === 3) break;
    await gone;
  });
});
