import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Static } from 'typebox';
import { Check } from 'typebox/value';
import type { Problem } from '../../src/contract/problem.ts';
import { Dataset, Model, ModelPage as ModelPageSchema } from '../../src/contract/resources.ts';
import { RetortError } from '../../src/errors.ts';
import type { Sandbox } from '../../src/service/ports.ts';
import { fakeSandbox, startServer, type TestServer } from '../support/api-server.ts';
import { until } from '../support/until.ts';

type ModelPage = Static<typeof ModelPageSchema>;

const bearer = (name: string) => ({ authorization: `Bearer ${name}` });
const keys: Parameters<typeof startServer>[1] = {
  verifyKey: async (token) =>
    ['ann', 'bob'].includes(token)
      ? { id: token, scopes: ['write'], limits: {} }
      : token === 'root'
        ? { id: token, scopes: ['admin'], limits: {} }
        : undefined,
};

async function post(server: TestServer, path: string, parts: [string, string][], headers = {}) {
  const form = new FormData();
  for (const [name, text] of parts) {
    if (name === 'format') form.append(name, text);
    else form.append(name, new Blob([text]), `${name}.bin`);
  }
  return fetch(server.url + path, { method: 'POST', body: form, headers });
}
const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T;

/** The dataset once it was looked at. */
async function inspected(server: TestServer, id: string): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await until('the dataset is looked at', async () => {
    dataset = await json<Dataset>(fetch(`${server.url}/v1/datasets/${id}`));
    return dataset.state !== 'inspecting';
  });
  return dataset!;
}

test('a model is answered with its card, a broken one with what is wrong and nothing kept', async () => {
  const server = await startServer();
  const made = await post(server, '/v1/models', [
    ['weights.data', 'external'],
    ['model', 'a model of some bytes'],
  ]);
  assert.equal(made.status, 201);
  const model = await json<Model>(made);
  assert.ok(Check(Model, model), JSON.stringify(model));
  assert.equal(made.headers.get('location'), `/v1/models/${model.id}`);
  assert.equal(model.model.name, 'model.bin');
  assert.deepEqual(
    model.companions.map(({ name }) => name),
    ['weights.data'],
  );
  assert.deepEqual(await json(fetch(`${server.url}/v1/models/${model.id}`)), model);

  const broken = await post(server, '/v1/models', [['model', 'short']]);
  assert.deepEqual([broken.status, (await json<Problem>(broken)).code], [422, 'ONNX_MALFORMED']);
  const nameless = await post(server, '/v1/models', [['teacher', 'a model of some bytes']]);
  assert.deepEqual([nameless.status, (await json<Problem>(nameless)).code], [400, 'UPLOAD_INVALID']);
  assert.equal((await json<ModelPage>(fetch(`${server.url}/v1/models`))).items.length, 1);

  assert.equal((await fetch(`${server.url}/v1/models/${model.id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await fetch(`${server.url}/v1/models/${model.id}`)).status, 404);
  await server.close();
});

test('equal files are two models over one blob; pages go from the newest to the oldest', async () => {
  const server = await startServer();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    ids.push((await json<Model>(post(server, '/v1/models', [['model', 'the same model']]))).id);
    await sleep(2);
  }
  const seen: string[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const page: ModelPage = await json(fetch(`${server.url}/v1/models?limit=2${next && `&before=${next}`}`));
    assert.ok(Check(ModelPageSchema, page));
    seen.push(...page.items.map(({ id }) => id));
    next = page.next;
  }
  assert.deepEqual(seen, ids.toReversed());
  await server.close();
});

test('everyone sees their own resources, an admin all of them', async () => {
  const server = await startServer({ RETORT_AUTH: 'keys' }, keys);
  const { id } = await json<Model>(post(server, '/v1/models', [['model', 'a model of ann']], bearer('ann')));
  const status = async (who: string, method = 'GET') =>
    (await fetch(`${server.url}/v1/models/${id}`, { method, headers: bearer(who) })).status;
  const count = async (who: string) =>
    (await json<ModelPage>(fetch(`${server.url}/v1/models`, { headers: bearer(who) }))).items.length;
  assert.deepEqual([await status('ann'), await status('bob'), await status('root')], [200, 404, 200]);
  assert.deepEqual([await count('ann'), await count('bob'), await count('root')], [1, 0, 1]);
  assert.equal(await status('bob', 'DELETE'), 404);
  assert.equal(await status('ann', 'DELETE'), 204);
  await server.close();
});

test('a dataset that takes long is answered before it is looked at', async () => {
  let finish: (() => void) | undefined;
  const sandbox: Sandbox = {
    ...fakeSandbox,
    inspectDataset: ({ signal }) =>
      new Promise((resolve, reject) => {
        finish = () => resolve({ rows: 7 } as never);
        signal!.addEventListener('abort', () => reject(new Error('killed')));
      }),
  };
  const server = await startServer({}, { sandbox, times: { inspection: 100 } });
  const made = await post(server, '/v1/datasets', [
    ['dataset', 'rows'],
    ['dataset', 'more rows'],
    ['format', 'csv'],
  ]);
  assert.equal(made.status, 202);
  const dataset = await json<Dataset>(made);
  assert.ok(Check(Dataset, dataset), JSON.stringify(dataset));
  assert.deepEqual([dataset.state, dataset.data.length, dataset.card], ['inspecting', 2, null]);
  await until('its inspection begins', () => finish !== undefined);
  finish!();
  const done = await inspected(server, dataset.id);
  assert.deepEqual([done.state, done.card], ['ready', { rows: 7 }]);
  await server.close();
});

test('a refused dataset says why; a failure of ours is tried again when it is read', async () => {
  let failure: Error | undefined = new RetortError('DATA_UNREADABLE', 'the archive is damaged');
  const sandbox: Sandbox = {
    ...fakeSandbox,
    inspectDataset: async () => {
      if (failure) throw failure;
      return { rows: 1 } as never;
    },
  };
  const server = await startServer({}, { sandbox, times: { inspection: 20_000 } });
  const refused = await json<Dataset>(post(server, '/v1/datasets', [['dataset', 'x']]));
  assert.deepEqual([refused.state, refused.error?.code], ['refused', 'DATA_UNREADABLE']);
  failure = new Error('out of file descriptors');
  const waiting = await json<Dataset>(post(server, '/v1/datasets', [['dataset', 'x']]));
  assert.equal(waiting.state, 'inspecting');
  failure = undefined;
  assert.equal((await inspected(server, waiting.id)).state, 'ready');
  await server.close();
});

test('a dataset left unfinished by a process that died is taken up by the next one', async () => {
  const endless: Sandbox = {
    ...fakeSandbox,
    inspectDataset: ({ signal }) =>
      new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(new Error('killed')))),
  };
  const first = await startServer({}, { times: { inspection: 10 }, sandbox: endless });
  const { id } = await json<Dataset>(post(first, '/v1/datasets', [['dataset', 'x']]));
  const second = await startServer({}, { jobs: first.jobs, blobs: first.blobs });
  assert.equal((await json<Dataset>(fetch(`${second.url}/v1/datasets/${id}`))).state, 'inspecting');
  assert.equal((await inspected(second, id)).state, 'ready');
  await second.close();
  await first.close();
});

test('an unknown format or part is refused', async () => {
  const server = await startServer();
  const code = async (parts: [string, string][]) =>
    (await json<Problem>(post(server, '/v1/datasets', parts))).code;
  assert.equal(
    await code([
      ['dataset', 'x'],
      ['format', 'parquet'],
    ]),
    'REQUEST_INVALID',
  );
  assert.equal(await code([['data', 'x']]), 'UPLOAD_INVALID');
  await server.close();
});
