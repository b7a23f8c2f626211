import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { RetortClient } from '../../../src/client/retort-client.ts';
import { withPeer } from '../../support/http-peer.ts';

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);

/** The tus server that the service uses too. `cut` breaks the n-th PATCH after so many bytes. */
async function tus(
  cut: (patch: number) => number | undefined,
  body: (client: RetortClient, stored: (id: string) => Promise<Buffer>, methods: string[]) => Promise<void>,
) {
  const folder = await mkdtemp(join(tmpdir(), 'retort-tus-'));
  const server = new Server({ path: '/v1/uploads', datastore: new FileStore({ directory: folder }) });
  const methods: string[] = [];
  let patches = 0;
  try {
    await withPeer(
      (request, response) => {
        methods.push(request.method!);
        if (request.method === 'GET') {
          return void response.end(JSON.stringify({ id: request.url!.split('/').at(-1) }));
        }
        // What a create by ids sends is told back.
        if (request.url === '/v1/distillations') return void request.pipe(response);
        const limit = request.method === 'PATCH' ? cut(++patches) : undefined;
        if (limit !== undefined) {
          let seen = 0;
          request.on('data', (chunk: Buffer) => {
            seen += chunk.length;
            if (seen > limit) request.socket.destroy();
          });
        }
        void server.handle(request, response);
      },
      (url) => body(new RetortClient({ url }), (id) => readFile(join(folder, id)), methods),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('an upload is created, sent in slices and found whole', () =>
  tus(
    () => undefined,
    async ({ uploads }, stored, methods) => {
      const sent: number[] = [];
      const onProgress = (done: number): void => void sent.push(done);
      const file = { name: 'Größe.zip', data: new Blob([bytes]) };
      const { id } = await uploads.create(file, { chunkBytes: 100_000, onProgress });
      assert.deepEqual(await stored(id), Buffer.from(bytes));
      assert.deepEqual(sent, [0, 100_000, 200_000, 300_000]);
      assert.deepEqual(methods, ['POST', 'PATCH', 'PATCH', 'PATCH', 'GET']);
    },
  ));

test('an upload goes on after broken connections from what the server has', () =>
  tus(
    (patch) => [30_000, undefined, 0][patch - 1],
    async ({ uploads }, stored, methods) => {
      const { id } = await uploads.create(new Blob([bytes]), { chunkBytes: 150_000 });
      assert.deepEqual(await stored(id), Buffer.from(bytes));
      assert.equal(methods.filter((method) => method === 'HEAD').length, 2);
    },
  ));

test('an upload that was left is resumed by its id', () =>
  tus(
    () => undefined,
    async ({ uploads }, stored, methods) => {
      const stop = new AbortController();
      let begun = '';
      const left = uploads.create(new Blob([bytes]), {
        chunkBytes: 50_000,
        signal: stop.signal,
        onStart: (id) => {
          begun = id;
        },
        onProgress: (done) => {
          if (done >= 100_000) stop.abort();
        },
      });
      await assert.rejects(left, { name: 'AbortError' });
      const { id } = await uploads.create(new Blob([bytes]), { resume: begun });
      assert.equal(id, begun);
      assert.deepEqual(await stored(id), Buffer.from(bytes));
      assert.equal(methods.filter((method) => method === 'POST').length, 1);
    },
  ));

test('an empty file is an upload too', () =>
  tus(
    () => undefined,
    async ({ uploads }, stored) => {
      const { id } = await uploads.create(new Blob([]));
      assert.equal((await stored(id)).length, 0);
    },
  ));

test('files beside ids are uploaded first, so that the create is by ids', () =>
  tus(
    () => undefined,
    async ({ distillations }, stored) => {
      const input = { teacher: 'm_1', dataset: [new Blob([bytes]), 'u_1'] };
      const made: unknown = await distillations.create(input);
      const { teacher, dataset } = made as { teacher: string; dataset: [string, string] };
      assert.equal(teacher, 'm_1');
      assert.equal(dataset[1], 'u_1');
      assert.deepEqual(await stored(dataset[0]), Buffer.from(bytes));
      const data = new Blob([bytes]).stream();
      await assert.rejects(
        distillations.create({ teacher: 'm_1', dataset: { name: 'rows.csv', data } }),
        /"rows.csv" is a stream/,
      );
    },
  ));
