import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { receiveParts } from '../../src/api/uploads/receive-parts.ts';
import type { Problem } from '../../src/contract/problem.ts';
import type { Received } from '../../src/service/files/received.ts';
import { rawRequest, startServer, type TestServer } from '../support/api-server.ts';
import { until } from '../support/until.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const incoming = (server: TestServer): Promise<string[]> =>
  readdir(join(server.folder, 'incoming')).catch(() => []);
const HEAD =
  'POST /test/parts HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\n';
const part = (name: string, body: string, file = '; filename="f.bin"') =>
  `--b\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n${body}\r\n`;

/** A server with a route that tells what it received, and fails on a part named `bad`. */
const echoServer = (
  settings: Record<string, string> = {},
  deps: Parameters<typeof startServer>[1] = {},
  extend: (app: TestServer['app']) => void = () => {},
) =>
  startServer(settings, deps, (app, { blobs, config }) => {
    extend(app);
    app.post('/test/parts', { config: { upload: true } }, (request) =>
      receiveParts(
        request,
        { blobs, config, metrics: { uploaded() {} } },
        { fields: { spec: 64 }, fileBytes: (name) => (name === 'small' ? 1000 : 2 ** 24), parts: 5 },
      ),
    );
  });

async function send(server: TestServer, form: FormData) {
  const response = await fetch(`${server.url}/test/parts`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Received & Problem };
}

test('parts come in any order; text may be sent as a file; files are stored by what is in them', async () => {
  const server = await echoServer();
  const big = new Uint8Array(3_000_000).map((_, i) => (i * 7919) >> 3);
  const text = '{"version":1,"name":"gr\u00fc\u00df"}';
  for (const order of [
    ['spec', 'teacher', 'weights/part.bin'],
    ['weights/part.bin', 'teacher', 'spec'],
    ['teacher', 'spec', 'weights/part.bin'],
  ]) {
    const form = new FormData();
    for (const name of order) {
      if (name === 'spec' && order[0] === 'spec') form.append(name, text);
      else if (name === 'spec') form.append(name, new Blob([text]), 'spec.json');
      else
        form.append(name, new Blob([name === 'teacher' ? big : 'data']), '../../evil/../t\u00e9acher.onnx');
    }
    const { status, body } = await send(server, form);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.fields, { spec: text });
    const teacher = body.files.find(({ field }) => field === 'teacher')!;
    assert.deepEqual(teacher, {
      field: 'teacher',
      name: 't\u00e9acher.onnx',
      hash: sha256(big),
      bytes: big.length,
    });
    assert.ok(body.files.some(({ field, bytes }) => field === 'weights/part.bin' && bytes === 4));
    assert.deepEqual(Buffer.from(await server.blobs.get(teacher.hash)), Buffer.from(big));
  }
  assert.deepEqual(await incoming(server), []);
  await server.close();
});

test('a chunked body is taken, and text before and after the parts is nothing', async () => {
  const server = await echoServer();
  const body = `preamble\r\n${part('spec', '{}', '')}${part('teacher', 'abc')}--b--\r\nepilogue`;
  const { text } = await rawRequest(server.port, (write) => {
    write(`${HEAD}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`);
    for (const c of body) write(`1\r\n${c}\r\n`);
    write('0\r\n\r\n');
  });
  assert.match(text, /^HTTP\/1\.1 200/);
  assert.ok(text.includes(sha256('abc')));
  await server.close();
});

test('limits hold for a field, for a file, for the body and for the number of parts', async () => {
  const server = await echoServer({ RETORT_MAX_UPLOAD_BYTES: String(8 * 2 ** 20) });
  const refused = async (fill: (form: FormData) => void) => {
    const form = new FormData();
    fill(form);
    const { status, body } = await send(server, form);
    assert.deepEqual(await incoming(server), []);
    return [status, body.code];
  };
  const blob = (bytes: number) => new Blob([new Uint8Array(bytes)]);
  assert.deepEqual(await refused((form) => form.append('spec', 'x'.repeat(65))), [413, 'UPLOAD_TOO_LARGE']);
  assert.deepEqual(await refused((form) => form.append('small', blob(1001))), [413, 'UPLOAD_TOO_LARGE']);
  assert.deepEqual(
    await refused((form) => {
      for (const name of ['a', 'b', 'c']) form.append(name, blob(3 * 2 ** 20));
    }),
    [413, 'UPLOAD_TOO_LARGE'],
  );
  assert.deepEqual(
    await refused((form) => {
      for (let i = 0; i < 6; i++) form.append('a', blob(1));
    }),
    [400, 'UPLOAD_INVALID'],
  );
  assert.deepEqual(
    await refused((form) => {
      form.append('spec', '1');
      form.append('spec', '2');
    }),
    [400, 'UPLOAD_INVALID'],
  );
  assert.deepEqual(await refused((form) => form.append('__proto__', blob(1))), [400, 'UPLOAD_INVALID']);
  await server.close();
});

test('a body that says it is too large, or finds no room, is refused before it is read', async () => {
  const server = await echoServer({ RETORT_MAX_UPLOAD_BYTES: '5000000' });
  const large = await rawRequest(server.port, (write) =>
    write(`${HEAD}content-length: 999999999\r\n\r\n--b`),
  );
  assert.match(large.text, /^HTTP\/1\.1 413 [\s\S]*UPLOAD_TOO_LARGE/);
  await server.close();
  const full = await echoServer({}, { freeBytes: async () => 600 * 2 ** 20 });
  const room = await rawRequest(full.port, (write) => write(`${HEAD}content-length: 900000000\r\n\r\n--b`));
  assert.match(room.text, /^HTTP\/1\.1 507 [\s\S]*STORE_FULL/);
  const form = new FormData();
  form.append('teacher', new Blob(['fits']));
  assert.equal((await send(full, form)).status, 200);
  await full.close();
});

test('a disk that fills up during an upload ends it, and leaves nothing', async () => {
  let free = 2 ** 40;
  const server = await echoServer({ RETORT_MIN_UPLOAD_WINDOW_SECONDS: '1' }, { freeBytes: async () => free });
  const { text } = await rawRequest(server.port, (write) => {
    write(`${HEAD}content-length: 10000000\r\n\r\n${part('teacher', 'x'.repeat(100_000)).slice(0, -2)}`);
    const timer = setInterval(() => write('y'.repeat(20_000)), 50).unref();
    setTimeout(() => clearInterval(timer), 4_000).unref();
    free = 1000;
  });
  assert.match(text, /^HTTP\/1\.1 507 [\s\S]*STORE_FULL/);
  assert.deepEqual(await incoming(server), []);
  await server.close();
});

test('an upload that is cut off leaves nothing behind, and the server lives', async () => {
  const server = await echoServer();
  for (const at of [50, 5_000, 500_000]) {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${HEAD}content-length: 90000000\r\n\r\n${part('teacher', 'x'.repeat(at)).slice(0, -2)}`);
    // So few bytes may not be a file yet.
    if (at === 50) await sleep(100);
    else await until('a file comes in', async () => (await incoming(server)).length === 1);
    socket.destroy();
    await until('nothing is left', async () => (await incoming(server)).length === 0);
  }
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  await server.close();
});

test('a body that ends before its last part is a broken one', async () => {
  const server = await echoServer();
  const body = part('teacher', 'abc').slice(0, -3);
  const { text } = await rawRequest(server.port, (write) =>
    write(`${HEAD}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
  );
  assert.match(text, /^HTTP\/1\.1 400 [\s\S]*UPLOAD_INVALID/);
  assert.deepEqual(await incoming(server), []);
  await server.close();
});

test('an upload that drips is ended with 408 while a quick one beside it is served', async () => {
  const server = await echoServer({ RETORT_MIN_UPLOAD_RATE: '1000', RETORT_MIN_UPLOAD_WINDOW_SECONDS: '1' });
  const drips = Array.from({ length: 3 }, () =>
    rawRequest(server.port, (write) => {
      write(`${HEAD}content-length: 90000000\r\n\r\n${part('teacher', 'x').slice(0, -2)}`);
      const timer = setInterval(() => write('y'), 50).unref();
      setTimeout(() => clearInterval(timer), 8_000).unref();
    }),
  );
  await sleep(300);
  const form = new FormData();
  form.append('teacher', new Blob([new Uint8Array(5_000_000)]));
  assert.equal((await send(server, form)).status, 200);
  for (const { text, milliseconds } of await Promise.all(drips)) {
    assert.match(text, /^HTTP\/1\.1 408 [\s\S]*connection: close[\s\S]*UPLOAD_TOO_SLOW/i);
    assert.ok(milliseconds < 5_000, `${milliseconds} ms`);
  }
  assert.deepEqual(await incoming(server), []);
  await server.close();
});

test('an owner has no more uploads at the same time than are allowed', async () => {
  const server = await echoServer({ RETORT_MAX_UPLOADS: '2' });
  const sockets = [1, 2].map(() => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${HEAD}content-length: 90000000\r\n\r\n${part('teacher', 'x').slice(0, -2)}`);
    return socket;
  });
  await sleep(200);
  const form = new FormData();
  form.append('teacher', new Blob(['a']));
  const { status, body } = await send(server, form);
  assert.deepEqual([status, body.code], [429, 'RATE_LIMITED']);
  for (const socket of sockets) socket.destroy();
  await sleep(200);
  const again = new FormData();
  again.append('teacher', new Blob(['a']));
  assert.equal((await send(server, again)).status, 200);
  await server.close();
});

test('a client that goes while its key is looked up leaves no upload behind', async () => {
  let patience = 200;
  const server = await echoServer(
    { RETORT_AUTH: 'keys', RETORT_MAX_UPLOADS: '1' },
    {
      verifyKey: async (token) => {
        await sleep(patience);
        return { id: token, scopes: ['write'], limits: {} };
      },
    },
  );
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`${HEAD}authorization: Bearer ann\r\ncontent-length: 90000000\r\n\r\n`);
  await sleep(100);
  socket.destroy();
  await sleep(300);
  patience = 0;
  await leavesRoom(server);
});

test('an upload that waits behind another request of its connection is forgotten with the connection', async () => {
  const server = await echoServer(
    { RETORT_AUTH: 'keys', RETORT_MAX_UPLOADS: '1' },
    { verifyKey: async (token) => ({ id: token, scopes: ['write'], limits: {} }) },
    (app) => void app.get('/test/slow', () => sleep(400, {})),
  );
  const socket = connect(server.port, '127.0.0.1');
  const key = 'authorization: Bearer ann\r\n';
  socket.write(`GET /test/slow HTTP/1.1\r\nhost: localhost\r\n${key}\r\n`);
  socket.write(`${HEAD}${key}content-length: 90000000\r\n\r\n`);
  await sleep(150);
  socket.destroy();
  await sleep(100);
  await leavesRoom(server);
});

/** The only upload that ann may send at a time is free. */
async function leavesRoom(server: TestServer): Promise<void> {
  const body = new FormData();
  body.append('teacher', new Blob(['a']));
  const headers = { authorization: 'Bearer ann' };
  const response = await fetch(`${server.url}/test/parts`, { method: 'POST', body, headers });
  assert.equal(response.status, 200, await response.text());
  await server.close();
}

test('a handler that fails in the middle of a large body still answers, and its connection ends', async () => {
  const server = await echoServer();
  const { text } = await rawRequest(server.port, (write) => {
    write(`${HEAD}content-length: 60000000\r\n\r\n${part('small', 'x'.repeat(2000)).slice(0, -2)}`);
    const timer = setInterval(() => write('y'.repeat(200_000)), 20).unref();
    setTimeout(() => clearInterval(timer), 5_000).unref();
  });
  assert.match(text, /^HTTP\/1\.1 413 [\s\S]*UPLOAD_TOO_LARGE/);
  await server.close();
});
