import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload as TusUpload } from 'tus-js-client';
import type { Problem } from '../../src/contract/problem.ts';
import type { Upload } from '../../src/contract/resources.ts';
import { rawRequest, startServer, type TestServer } from '../support/api-server.ts';
import { until } from '../support/until.ts';

const bytes = new Uint8Array(4_000_000).map((_, i) => (i * 7919) >> 3);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const tusFiles = (server: TestServer) => readdir(join(server.folder, 'uploads')).catch(() => []);

/** Uploads with the reference client; resolves with the URL. `stopAt`: gives up after so many bytes were accepted. */
function upload(server: TestServer, options: { readonly uploadUrl?: string; readonly stopAt?: number } = {}) {
  return new Promise<string>((resolve, reject) => {
    const client = new TusUpload(Buffer.from(bytes), {
      endpoint: `${server.url}/v1/uploads`,
      ...(options.uploadUrl ? { uploadUrl: options.uploadUrl } : {}),
      chunkSize: 1_000_000,
      retryDelays: null,
      metadata: { filename: '../../t\u00e9acher.onnx', owner: 'somebody-else' },
      onError: reject,
      onSuccess: () => resolve(client.url!),
      onChunkComplete: (_size, accepted) => {
        if (options.stopAt === undefined || accepted < options.stopAt) return;
        void client.abort();
        resolve(client.url!);
      },
    });
    client.start();
  });
}

test('an interrupted upload goes on where it was, and becomes a file with an id', async () => {
  const server = await startServer();
  const url = await upload(server, { stopAt: 2_000_000 });
  const id = url.split('/').at(-1)!;
  assert.match(id, /^u_[0-9A-Z]{26}$/);
  const asked = await fetch(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  const offset = Number(asked.headers.get('upload-offset'));
  assert.ok(offset >= 2_000_000 && offset < bytes.length, String(offset));
  assert.equal((await fetch(url)).status, 404);

  assert.equal(await upload(server, { uploadUrl: url }), url);
  const done = (await (await fetch(url)).json()) as Upload;
  assert.deepEqual(done.file, { name: 't\u00e9acher.onnx', bytes: bytes.length, sha256 });
  assert.equal(done.id, id);
  assert.equal(((await server.jobs.get(`upload/${id}`))!.value as { owner: string }).owner, 'local');
  assert.deepEqual(Buffer.from(await server.blobs.get(sha256)), Buffer.from(bytes));
  assert.deepEqual(await tusFiles(server), []);
  // Whoever missed the last answer asks again, and learns that all is there.
  const after = await fetch(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  assert.equal(after.headers.get('upload-offset'), String(bytes.length));
  assert.equal(after.headers.get('upload-length'), String(bytes.length));
  assert.equal(await upload(server, { uploadUrl: url }), url);

  assert.equal((await fetch(url, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } })).status, 204);
  assert.equal((await fetch(url)).status, 404);
  await server.close();
});

test('a connection that breaks in the middle of a piece loses no byte that was stored', async () => {
  const server = await startServer();
  const begun = await fetch(`${server.url}/v1/uploads`, {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', 'upload-length': String(bytes.length) },
  });
  assert.equal(begun.status, 201);
  const path = begun.headers.get('location')!;
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `PATCH ${path} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n` +
      `content-type: application/offset+octet-stream\r\ncontent-length: ${bytes.length}\r\n\r\n`,
  );
  socket.write(bytes.subarray(0, 700_000));
  const stored = join(server.folder, 'uploads', path.split('/').at(-1)!);
  await until('all that was sent is stored', async () => (await stat(stored)).size === 700_000);
  socket.destroy();
  await sleep(200);
  const url = server.url + path;
  const asked = await fetch(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  assert.equal(asked.headers.get('upload-offset'), '700000');
  await upload(server, { uploadUrl: url });
  assert.equal(((await (await fetch(url)).json()) as Upload).file.sha256, sha256);
  await server.close();
});

test('pieces that drip are ended, and what came of them is kept', async () => {
  const server = await startServer({
    RETORT_MIN_UPLOAD_RATE: '1000',
    RETORT_MIN_UPLOAD_WINDOW_SECONDS: '1',
    RETORT_MAX_UPLOADS: '8',
  });
  // Several at once: bytes that come in the very moment of the end must not find a listener that throws.
  await Promise.all(Array.from({ length: 8 }, () => drip(server)));
  await server.close();
});

async function drip(server: TestServer): Promise<void> {
  const begun = await fetch(`${server.url}/v1/uploads`, {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', 'upload-length': '100000' },
  });
  const path = begun.headers.get('location')!;
  const { milliseconds } = await rawRequest(server.port, (write) => {
    write(
      `PATCH ${path} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n` +
        'content-type: application/offset+octet-stream\r\ncontent-length: 100000\r\n\r\n',
    );
    const timer = setInterval(() => write('x'), 5).unref();
    setTimeout(() => clearInterval(timer), 8_000).unref();
  });
  assert.ok(milliseconds < 6_000, `${milliseconds} ms`);
  const headers = { 'tus-resumable': '1.0.0' };
  const asked = await fetch(server.url + path, { method: 'HEAD', headers });
  assert.ok(Number(asked.headers.get('upload-offset')) > 5);
}

test('an upload whose record was not written before the end of the process gets it later', async () => {
  let refuse = true;
  const server = await startServer();
  const put = server.jobs.put.bind(server.jobs);
  server.jobs.put = async (record) => {
    if (refuse && record.id.startsWith('upload/')) throw new Error('killed');
    return put(record);
  };
  await assert.rejects(upload(server), /500/);
  const [file] = (await tusFiles(server)).filter((name) => !name.endsWith('.json'));
  refuse = false;
  const url = `${server.url}/v1/uploads/${file}`;
  assert.equal(((await (await fetch(url)).json()) as Upload).file.sha256, sha256);
  assert.deepEqual(await tusFiles(server), []);
  await server.close();
});

test('what is too large, has no room, does not fit or is not there is refused with a problem', async () => {
  const server = await startServer(
    { RETORT_MAX_UPLOAD_BYTES: '1000' },
    { freeBytes: async () => 512 * 2 ** 20 + 500 },
  );
  const begin = (headers: Record<string, string>) =>
    fetch(`${server.url}/v1/uploads`, { method: 'POST', headers: { 'tus-resumable': '1.0.0', ...headers } });
  const code = async (response: Response) => {
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    return [response.status, ((await response.json()) as Problem).code];
  };
  assert.deepEqual(await code(await begin({ 'upload-length': '1001' })), [413, 'UPLOAD_TOO_LARGE']);
  assert.deepEqual(await code(await begin({ 'upload-length': '900' })), [507, 'STORE_FULL']);
  assert.deepEqual(await code(await begin({})), [400, 'REQUEST_INVALID']);
  assert.deepEqual(await code(await begin({ 'tus-resumable': '' })), [412, 'REQUEST_INVALID']);
  const url = server.url + (await begin({ 'upload-length': '10' })).headers.get('location')!;
  const patch = (to: string, offset: string) =>
    fetch(to, {
      method: 'PATCH',
      body: 'abc',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': offset,
        'content-type': 'application/offset+octet-stream',
      },
    });
  assert.deepEqual(await code(await patch(url, '5')), [409, 'REQUEST_INVALID']);
  for (const id of ['u_00000000000000000000000000', '..%2f..%2fetc%2fpasswd', '%00'])
    assert.deepEqual(await code(await patch(`${server.url}/v1/uploads/${id}`, '0')), [404, 'NOT_FOUND']);
  await server.close();
});

test('a query that names the upload of another key opens nothing of it', async () => {
  const verifyKey = async (token: string) => ({ id: token, scopes: ['write' as const], limits: {} });
  const server = await startServer({ RETORT_AUTH: 'keys' }, { verifyKey });
  const ask = (key: string, method: string, path: string, headers = {}, body: string | null = null) =>
    fetch(server.url + path, {
      method,
      body,
      headers: { authorization: `Bearer ${key}`, 'tus-resumable': '1.0.0', ...headers },
    });
  const begin = async (key: string, length: string) =>
    (await ask(key, 'POST', '/v1/uploads', { 'upload-length': length })).headers.get('location')!;
  const [anns, bobs] = [await begin('ann', '11'), await begin('bob', '22')];
  const crossed = `${bobs}?x=/${anns.split('/').at(-1)}`;
  const piece = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };

  assert.equal((await ask('bob', 'HEAD', crossed)).headers.get('upload-length'), '22');
  assert.equal((await ask('bob', 'PATCH', crossed, piece, 'abc')).status, 204);
  assert.equal((await ask('bob', 'HEAD', bobs)).headers.get('upload-offset'), '3');
  assert.equal((await ask('bob', 'DELETE', crossed)).status, 204);
  assert.equal((await ask('bob', 'HEAD', bobs)).status, 404);
  assert.equal((await ask('bob', 'HEAD', anns)).status, 404);
  assert.equal((await ask('ann', 'HEAD', anns)).headers.get('upload-offset'), '0');
  await server.close();
});
