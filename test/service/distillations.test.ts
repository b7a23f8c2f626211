import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { concat } from '../../src/adapters/storage/concat.ts';
import type { Distillation, DistillationPage, EventPage } from '../../src/contract/distillation.ts';
import type { Problem } from '../../src/contract/problem.ts';
import { startServer, type TestServer } from '../support/api-server.ts';
import { tinyPictures, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** The routes of distillations over a real server; no worker, so jobs stay queued. */

let server: TestServer;
let files: readonly (readonly [field: string, name: string, data: Uint8Array])[];
before(async () => {
  server = await startServer({ RETORT_MAX_UPLOADS: '64' });
  const data = tinyPictures(16, 8).map(
    async (file) => ['dataset', file.name, await concat(file.stream())] as const,
  );
  files = [...(await Promise.all(data)), ['teacher', 'teacher.onnx', tinyTeacher()]];
});
after(() => server.close());

const path = '/v1/distillations';
const ask = (route: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.url}${route}`, init);
const post = (route: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  ask(route, {
    method: 'POST',
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
  });

function form(parts: Readonly<Record<string, string>>, order: 'files first' | 'files last' = 'files last') {
  const made = new FormData();
  const fields = (): void => {
    for (const [name, text] of Object.entries(parts)) made.append(name, text);
  };
  if (order === 'files last') fields();
  for (const [field, name, data] of files)
    made.append(field, new Blob([data as Uint8Array<ArrayBuffer>]), name);
  if (order === 'files first') fields();
  return made;
}

const create = async (parts: Readonly<Record<string, string>> = { spec: JSON.stringify(tinySpec()) }) => {
  const response = await ask(path, { method: 'POST', body: form(parts) });
  assert.equal(response.status, 202, await response.clone().text());
  return (await response.json()) as Distillation;
};

const refused = async (response: Response, status: number, code: string): Promise<Problem> => {
  const problem = (await response.json()) as Problem;
  assert.deepEqual([response.status, problem.code], [status, code], JSON.stringify(problem));
  assert.match(response.headers.get('content-type')!, /^application\/problem\+json/);
  return problem;
};

test('one POST with all files makes a job, whatever the order of the parts', async () => {
  for (const order of ['files first', 'files last'] as const) {
    const options = JSON.stringify({ labels: { order }, priority: 'high', retainDays: 3 });
    const response = await ask(path, {
      method: 'POST',
      body: form({ spec: JSON.stringify(tinySpec()), options }, order),
    });
    assert.equal(response.status, 202);
    const job = (await response.json()) as Distillation;
    assert.equal(response.headers.get('location'), job.urls.self);
    assert.deepEqual([job.state, job.priority, job.labels], ['queued', 'high', { order }]);
    assert.equal(job.inputs.teacher.bytes, tinyTeacher().byteLength);
    assert.equal(job.inputs.data.length, 4);
    assert.deepEqual(await (await ask(job.urls.self)).json(), job);
  }
});

test('a job can be made of models, datasets and uploads by their ids', async () => {
  const upload = async (route: string, fields: readonly (readonly [string, string, Uint8Array])[]) => {
    const body = new FormData();
    for (const [field, name, data] of fields)
      body.append(field, new Blob([data as Uint8Array<ArrayBuffer>]), name);
    return (await (await ask(route, { method: 'POST', body })).json()) as { id: string };
  };
  const { id: teacher } = await upload('/v1/models', [['model', 'teacher.onnx', tinyTeacher()]]);
  const { id: dataset } = await upload(
    '/v1/datasets',
    files.filter(([field]) => field === 'dataset'),
  );
  const response = await post(path, { teacher, dataset, spec: tinySpec() });
  assert.equal(response.status, 202, await response.clone().text());
  const job = (await response.json()) as Distillation;
  assert.deepEqual(job.inputs, (await create()).inputs);
  await refused(await post(path, { teacher: 'm_NOTHING', dataset }), 404, 'NOT_FOUND');
  await refused(await post(path, { teacher: dataset, dataset: teacher }), 400, 'UPLOAD_INVALID');
  await refused(await post(path, { teacher, dataset, datset: 1 }), 400, 'REQUEST_INVALID');
});

test('wrong specs and missing parts are refused with all problems before anything is queued', async () => {
  const counted = async () => ((await (await ask(path)).json()) as DistillationPage).items.length;
  const jobs = await counted();
  const send = (parts: Readonly<Record<string, string>>) => ask(path, { method: 'POST', body: form(parts) });
  const typo = await refused(await send({ spec: '{"version":1,"trian":{},"sed":1}' }), 400, 'SPEC_INVALID');
  assert.equal(typo.problems?.length, 2);
  await refused(await send({ spec: '{"version":' }), 400, 'UPLOAD_INVALID');
  await refused(await send({ options: '{"priority":"urgent"}' }), 400, 'REQUEST_INVALID');
  await refused(await send({ spec: '{"version":1,"train":{"epochs":1,"steps":1}}' }), 400, 'SPEC_INVALID');
  const lonely = new FormData();
  lonely.append('teacher', new Blob([tinyTeacher() as Uint8Array<ArrayBuffer>]), 't.onnx');
  const problem = await refused(await ask(path, { method: 'POST', body: lonely }), 400, 'UPLOAD_INVALID');
  assert.match(problem.hint!, /curl -F/);
  assert.equal(await counted(), jobs);
});

test('fifty equal creates at once under one Idempotency-Key make one job', async () => {
  const send = (key: string, spec: object = tinySpec()) =>
    ask(path, {
      method: 'POST',
      body: form({ spec: JSON.stringify(spec) }),
      headers: { 'idempotency-key': key },
    });
  const answers = await Promise.all(Array.from({ length: 50 }, () => send('the same')));
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as Distillation[];
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202]);
  assert.equal(new Set(bodies.map(({ id }) => id)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null).length, 1);
  await refused(await send('the same', tinySpec({ seed: 9 })), 422, 'IDEMPOTENCY_MISMATCH');
  const other = (await (await send('another')).json()) as Distillation;
  assert.notEqual(other.id, bodies[0]!.id);
});

test('jobs are listed newest first, page by page, by state and by label', async () => {
  const label = JSON.stringify({ labels: { team: 'page test' } });
  const made: string[] = [];
  for (let i = 0; i < 5; i++)
    made.unshift((await create({ spec: JSON.stringify(tinySpec({ seed: i })), options: label })).id);
  await post(`${path}/${made[0]}/cancel`);
  const listed: string[] = [];
  let before = '';
  do {
    const query = `?limit=2&label=${encodeURIComponent('team=page test')}${before}`;
    const page = (await (await ask(path + query)).json()) as DistillationPage;
    listed.push(...page.items.map(({ id }) => id));
    before = page.next === null ? '' : `&before=${page.next}`;
  } while (before !== '');
  assert.deepEqual(listed, made);
  const cancelled = (await (await ask(`${path}?state=cancelled&limit=100`)).json()) as DistillationPage;
  assert.ok(cancelled.items.some(({ id }) => id === made[0]));
  assert.ok(cancelled.items.every(({ state }) => state === 'cancelled'));
  await refused(await ask(`${path}?state=lost`), 400, 'REQUEST_INVALID');
  await refused(await ask(`${path}?limit=0`), 400, 'REQUEST_INVALID');
});

test('a job is paused, resumed, cancelled, retried and deleted; what does not fit its state is refused', async () => {
  const { id } = await create();
  const verb = async (name: string, of = id) =>
    (await (await post(`${path}/${of}/${name}`)).json()) as Distillation;
  assert.equal((await verb('pause')).state, 'paused');
  assert.equal((await verb('resume')).state, 'queued');
  await refused(await ask(`${path}/${id}`, { method: 'DELETE' }), 409, 'JOB_STATE');
  await refused(await post(`${path}/${id}/retry`), 409, 'JOB_STATE');
  await refused(await ask(`${path}/${id}/artifacts/student.onnx`), 409, 'JOB_STATE');
  await refused(await ask(`${path}/${id}/report`), 409, 'JOB_STATE');
  assert.equal((await verb('cancel')).state, 'cancelled');
  assert.equal((await verb('cancel')).state, 'cancelled');
  await refused(await post(`${path}/${id}/resume`), 409, 'JOB_STATE');
  const again = await verb('retry');
  assert.deepEqual([again.retryOf, again.state], [id, 'queued']);
  const page = (await (await ask(`${path}/${id}/events`)).json()) as EventPage;
  assert.deepEqual(
    page.items.map((event) => (event.data as { state: string }).state),
    ['queued', 'paused', 'queued', 'cancelled'],
  );
  assert.deepEqual([page.last, page.open], [4, false]);
  assert.equal((await ask(`${path}/${id}`, { method: 'DELETE' })).status, 204);
  await refused(await ask(`${path}/${id}`), 404, 'NOT_FOUND');
  await refused(await ask(`${path}/d_no`), 400, 'REQUEST_INVALID');
});

test('a stream replays from Last-Event-ID and ends after the last event', async () => {
  const { id } = await create();
  const open = (last?: string) =>
    ask(`${path}/${id}/events`, {
      headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
    });
  const following = (await open()).text();
  await post(`${path}/${id}/pause`);
  await post(`${path}/${id}/cancel`);
  const ids = (text: string): string[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, each]) => each!);
  const whole = await following;
  assert.deepEqual(ids(whole), ['1', '2', '3']);
  assert.match(whole, /event: end\ndata: \{\}\n\n$/);
  assert.deepEqual(ids(await (await open('2')).text()), ['3']);
  const known = await (await open('3')).text();
  assert.deepEqual(ids(known), []);
  assert.match(known, /event: end/);
});
