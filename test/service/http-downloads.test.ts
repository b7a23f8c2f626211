import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentDisposition } from '../../src/api/content-disposition.ts';
import { sendBlob } from '../../src/api/send-blob.ts';
import type { Problem } from '../../src/contract/problem.ts';
import type { BlobRef, BlobStore } from '../../src/pipeline/ports.ts';
import { startServer, type TestServer } from '../support/api-server.ts';

const bytes = new Uint8Array(500_000).map((_, i) => (i * 31) >> 2);
const hash = createHash('sha256').update(bytes).digest('hex');
const etag = `"sha256-${hash}"`;
let server: TestServer;
let large: BlobRef;
let streams = 0;

before(async () => {
  server = await startServer({}, {}, (app, { blobs }) => {
    const watched: Pick<BlobStore, 'has' | 'stream'> = {
      has: (name) => blobs.has(name),
      async *stream(...args: Parameters<BlobStore['stream']>) {
        streams++;
        try {
          yield* blobs.stream(...args);
        } finally {
          streams--;
        }
      },
    };
    app.route({
      method: ['GET', 'HEAD'],
      url: '/test/blob/:name',
      handler: (request, reply) => {
        const { name } = request.params as { name: string };
        const size = bytes.length;
        if (name === 'large.bin') return sendBlob(request, reply, watched, { name, ...large });
        return sendBlob(request, reply, watched, {
          name,
          hash: name === 'gone.json' ? '0'.repeat(64) : hash,
          bytes: size,
        });
      },
    });
    app.get('/test/auto/:name', (request, reply) =>
      sendBlob(request, reply, watched, { name: 'student.onnx', hash, bytes: bytes.length }),
    );
  });
  await server.blobs.put(bytes);
  large = await server.blobs.put(new Uint8Array(64 * 2 ** 20));
});
after(() => server.close());

const fetchBlob = (headers: Record<string, string> = {}, method = 'GET', name = 'student.onnx') =>
  fetch(`${server.url}/test/blob/${encodeURIComponent(name)}`, { headers, method });

test('a download says what it is, and a HEAD says the same without the bytes', async () => {
  for (const method of ['GET', 'HEAD']) {
    const response = await fetchBlob({}, method);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('etag'), etag);
    assert.equal(response.headers.get('content-length'), String(bytes.length));
    assert.equal(response.headers.get('accept-ranges'), 'bytes');
    assert.equal(
      response.headers.get('repr-digest'),
      `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
    );
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.equal(response.headers.get('content-disposition'), 'attachment; filename="student.onnx"');
    const body = new Uint8Array(await response.arrayBuffer());
    assert.deepEqual(Buffer.from(body), Buffer.from(method === 'GET' ? bytes : []));
  }
  const auto = await fetch(`${server.url}/test/auto/x`, { method: 'HEAD' });
  assert.equal(auto.headers.get('content-length'), String(bytes.length));
  const type = async (name: string) => (await fetchBlob({}, 'HEAD', name)).headers.get('content-type');
  assert.equal(await type('a.jsonl'), 'application/x-ndjson');
  assert.equal(await type('report.html'), 'text/html; charset=utf-8');
});

test('ranges give exactly their bytes', async () => {
  const size = bytes.length;
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=100-199', 100, 200],
    ['bytes=499990-', 499_990, size],
    ['bytes=-7', size - 7, size],
    ['bytes=0-999999999', 0, size],
    ['bytes=-999999999', 0, size],
  ] as const) {
    const response = await fetchBlob({ range });
    assert.equal(response.status, 206, range);
    assert.equal(response.headers.get('content-range'), `bytes ${start}-${end - 1}/${size}`);
    assert.deepEqual(
      Buffer.from(await response.arrayBuffer()),
      Buffer.from(bytes.subarray(start, end)),
      range,
    );
  }
  for (const range of ['bytes=500000-', 'bytes=-0', 'bytes=9999999-99999999']) {
    const response = await fetchBlob({ range });
    assert.equal(response.status, 416, range);
    assert.equal(response.headers.get('content-range'), `bytes */${size}`);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(((await response.json()) as Problem).status, 416);
  }
  for (const range of ['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=a-b', 'bytes=-'])
    assert.equal((await fetchBlob({ range }, 'HEAD')).status, 200, range);
});

test('If-Range and If-None-Match know the validator', async () => {
  const range = 'bytes=0-9';
  assert.equal((await fetchBlob({ range, 'if-range': etag }, 'HEAD')).status, 206);
  assert.equal((await fetchBlob({ range, 'if-range': `W/${etag}` }, 'HEAD')).status, 200);
  assert.equal((await fetchBlob({ range, 'if-range': '"other"' }, 'HEAD')).status, 200);
  const same = await fetchBlob({ 'if-none-match': `"x", W/${etag}` });
  assert.equal(same.status, 304);
  assert.equal(same.headers.get('etag'), etag);
  assert.equal((await fetchBlob({ 'if-none-match': '"x"' }, 'HEAD')).status, 200);
});

test('a blob that is gone is a problem that nobody caches', async () => {
  const response = await fetchBlob({}, 'GET', 'gone.json');
  assert.equal(response.status, 404);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('etag'), null);
  assert.equal(((await response.json()) as Problem).code, 'STORE_MISSING');
});

test('names are safe in a header', () => {
  assert.equal(
    contentDisposition('Sch\u00fcler "1"\r\nx: y.onnx'),
    `attachment; filename="Sch_ler _1___x: y.onnx"; filename*=UTF-8''Sch%C3%BCler%20%221%22%0D%0Ax%3A%20y.onnx`,
  );
});

test('a client that goes away in the middle ends the reading of the blob', async () => {
  await new Promise<void>((resolve) => {
    const ask = get(`${server.url}/test/blob/large.bin`, (response) => {
      response.once('data', () => {
        assert.equal(streams, 1);
        response.destroy();
        resolve();
      });
    });
    ask.on('error', () => {});
  });
  for (let i = 0; i < 100 && streams > 0; i++) await sleep(10);
  assert.equal(streams, 0);
});
