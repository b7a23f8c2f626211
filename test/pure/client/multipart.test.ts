import assert from 'node:assert/strict';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DistillationInput } from '../../../src/client/distillation-request.ts';
import { RetortClient } from '../../../src/client/retort-client.ts';
import { bodyOf, withPeer } from '../../support/http-peer.ts';

/** Fields and files of the form that a create sends, as another parser reads them. */
async function sent(input: DistillationInput) {
  const found: { field: string; name?: string; text: string }[] = [];
  let length: string | undefined;
  await withPeer(
    async (request, response) => {
      length = request.headers['content-length'];
      const body = new Uint8Array(await bodyOf(request));
      const headers = { 'content-type': request.headers['content-type']! };
      for (const [field, value] of await new Response(body, { headers }).formData()) {
        if (typeof value === 'string') found.push({ field, text: value });
        else found.push({ field, name: value.name, text: await value.text() });
      }
      response.end('{}');
    },
    async (url) => void (await new RetortClient({ url }).distillations.create(input)),
  );
  return { found, length };
}

const streamOf = (...texts: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });

const spec = { version: 1 } as const;
const rest = {
  companions: { 'weights "ä" 100%.bin': new Blob(['external']) },
  spec,
  options: { labels: { team: 'ünï' } },
};
const want = [
  { field: 'spec', text: '{"version":1}' },
  { field: 'options', text: '{"labels":{"team":"ünï"}}' },
  { field: 'teacher', name: 'big.onnx', text: 'teacher' },
  { field: 'weights "ä" 100%.bin', name: 'weights "ä" 100%.bin', text: 'external' },
  { field: 'dataset', name: 'dataset', text: 'a' },
  { field: 'dataset', name: 'b\r\n.zip', text: 'b' },
];

test('blobs go as a form with a length, files under their names', async () => {
  const { found, length } = await sent({
    teacher: { name: 'big.onnx', data: new Blob(['teacher']) },
    dataset: [new Blob(['a']), { name: 'b\r\n.zip', data: new Blob(['b']) }],
    ...rest,
  });
  assert.ok(Number(length) > 0);
  assert.deepEqual(found.map(unescaped), want);
});

test('streams go as the same form, without a length', async () => {
  const { found, length } = await sent({
    teacher: { name: 'big.onnx', data: streamOf('tea', '', 'cher') },
    dataset: [new Blob(['a']), { name: 'b\r\n.zip', data: streamOf('b') }],
    ...rest,
  });
  assert.equal(length, undefined);
  assert.deepEqual(found.map(unescaped), want);
});

test('a stream is sent as it comes: the server has its beginning before its end is made', async () => {
  let arrived = (): void => {};
  const first = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  async function* slow() {
    yield new TextEncoder().encode('beginning');
    await first;
    yield new TextEncoder().encode('end');
  }
  const source = slow();
  const data = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  let text = '';
  await withPeer(
    async (request, response) => {
      for await (const chunk of request) {
        text += chunk;
        if (text.includes('beginning')) arrived();
      }
      response.end('{}');
    },
    async (url) => {
      const { distillations } = new RetortClient({ url });
      await distillations.create({ teacher: { name: 't', data }, dataset: new Blob(['d']) });
    },
  );
  assert.match(text, /beginning[\s\S]*end/);
});

const MiB = 2 ** 20;

for (const kind of ['a file on disk', 'a stream'] as const) {
  test(`${kind} of 256 MiB is sent without being held in memory`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'retort-big-'));
    let peak = 0;
    let bytes = 0;
    const before = process.memoryUsage().arrayBuffers;
    try {
      await writeFile(join(folder, 'big'), '');
      await truncate(join(folder, 'big'), 256 * MiB);
      const blob = await openAsBlob(join(folder, 'big'));
      const data = kind === 'a stream' ? blob.stream() : blob;
      await withPeer(
        async (request, response) => {
          for await (const chunk of request) {
            bytes += (chunk as Buffer).length;
            peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
          }
          response.end('{}');
        },
        async (url) => {
          const { distillations } = new RetortClient({ url });
          await distillations.create({ teacher: { name: 't', data }, dataset: new Blob(['d']) });
        },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    assert.ok(bytes > 256 * MiB);
    assert.ok(peak < 128 * MiB, `${Math.round(peak / MiB)} MiB were held`);
  });
}

test('ids go as JSON', async () => {
  await withPeer(
    async (request, response) => {
      assert.equal(request.headers['content-type'], 'application/json');
      response.end(await bodyOf(request));
    },
    async (url) => {
      const { distillations } = new RetortClient({ url });
      const echo = await distillations.create({ teacher: 'm_1', dataset: ['u_1', 'u_2'], spec });
      assert.deepEqual(echo, { teacher: 'm_1', dataset: ['u_1', 'u_2'], spec });
      assert.deepEqual(await distillations.create({ teacher: 'm_1', dataset: 'ds_1' }), {
        teacher: 'm_1',
        dataset: 'ds_1',
      });
    },
  );
});

/** undici reads names as they stand; the standard has writers put these three in percent. */
const unescaped = ({ field, name, text }: { field: string; name?: string; text: string }) => {
  const plain = (escaped: string): string =>
    escaped.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
  return { field: plain(field), ...(name === undefined ? {} : { name: plain(name) }), text };
};
