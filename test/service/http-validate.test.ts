import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../src/contract/problem.ts';
import type { Sandbox } from '../../src/service/ports.ts';
import { fakeSandbox, startServer } from '../support/api-server.ts';
import { until } from '../support/until.ts';

const part = (name: string) =>
  `--b\r\ncontent-disposition: form-data; name="${name}"; filename="${name}.bin"\r\n\r\nmore than eight bytes\r\n`;
const VALIDATE = '/v1/distillations:validate';
const MODELS = '/v1/models';

/** A server whose sandbox works until it is stopped; `signals` are those of what it works on. */
async function patientServer(t: TestContext) {
  const signals: AbortSignal[] = [];
  const work = ({ signal }: { readonly signal?: AbortSignal }): Promise<never> => {
    assert.ok(signal);
    signals.push(signal);
    return new Promise((_resolve, reject) => {
      const stop = () => reject(new Error('stopped'));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
  };
  const sandbox: Sandbox = { ...fakeSandbox, inspectModel: work, validate: work };
  const verifyKey = async (token: string) => ({ id: token, scopes: ['write' as const], limits: {} });
  const server = await startServer({ RETORT_AUTH: 'keys' }, { sandbox, verifyKey });
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });
  /** A whole request; its answer is not waited for. */
  const ask = (path: string, parts: string, key = 'ann') => {
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: multipart/form-data; boundary=b\r\ncontent-length: ${parts.length}\r\n\r\n${parts}`,
    );
    return socket;
  };
  return { server, signals, ask };
}

const requests = [
  ['a validation', VALIDATE, `${part('teacher')}${part('dataset')}--b--\r\n`],
  ['a look at a model', MODELS, `${part('model')}--b--\r\n`],
] as const;

for (const [title, path, parts] of requests) {
  test(`${title} stops when its client leaves`, async (t) => {
    const { signals, ask } = await patientServer(t);
    const socket = ask(path, parts);
    await until('it is looked at', () => signals.length === 1);
    assert.equal(signals[0]!.aborted, false);
    socket.destroy();
    await until('it is stopped', () => signals[0]!.aborted);
  });

  test(`${title} stops when its client left while its files were stored`, async (t) => {
    const { server, signals, ask } = await patientServer(t);
    const put = server.blobs.put.bind(server.blobs);
    let stored = 0;
    server.blobs.put = async (data) => {
      const blob = await put(data);
      stored++;
      await sleep(200);
      return blob;
    };
    const socket = ask(path, parts);
    await until('a file is stored', () => stored > 0);
    socket.destroy();
    await until('it is looked at', () => signals.length === 1);
    await until('it is stopped', () => signals[0]!.aborted);
  });
}

test('a key has two validations at the same time, whatever other keys have', async (t) => {
  const { server, signals, ask } = await patientServer(t);
  const [, path, parts] = requests[0];
  const [first] = [ask(path, parts), ask(path, parts)];
  await until('both are at work', () => signals.length === 2);
  const third = () =>
    fetch(server.url + path, {
      method: 'POST',
      body: parts,
      headers: { authorization: 'Bearer ann', 'content-type': 'multipart/form-data; boundary=b' },
    });
  const refused = await third();
  assert.deepEqual([refused.status, ((await refused.json()) as Problem).code], [429, 'RATE_LIMITED']);
  ask(path, parts, 'bob');
  await until('that of another key begins', () => signals.length === 3);
  first!.destroy();
  await until('the first is stopped', () => signals.some(({ aborted }) => aborted));
  ask(path, parts);
  await until('another of the key begins', () => signals.length === 4);
});
