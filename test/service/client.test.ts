import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { concat } from '../../src/adapters/storage/concat.ts';
import type { NamedFile } from '../../src/client/files.ts';
import { RetortClient } from '../../src/client/retort-client.ts';
import type { WatchItem } from '../../src/client/watch.ts';
import type { Spec } from '../../src/spec/spec.ts';
import { noRedis } from '../support/redis.ts';
import { type Served, served } from '../support/served.ts';
import { tinyPictures, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** The client against the real service: `retort serve` on a real Redis. */

const options = { skip: noRedis ?? false };
let server: Served;
let client: RetortClient;
let files: { teacher: NamedFile & { data: Blob }; dataset: (NamedFile & { data: Blob })[] };
before(async () => {
  if (noRedis) return;
  server = await served();
  client = new RetortClient({ url: server.url });
  const blob = async (bytes: Uint8Array | Promise<Uint8Array>) => new Blob([await bytes]);
  files = {
    teacher: { name: 'teacher.onnx', data: await blob(tinyTeacher()) },
    dataset: await Promise.all(
      tinyPictures().map(async ({ name, stream }) => ({ name, data: await blob(concat(stream())) })),
    ),
  };
});
after(() => server?.close());

const spec = (changes?: object): Spec => tinySpec(changes) as unknown as Spec;
/** A training that takes minutes. */
const endless = (seed: number): Spec =>
  spec({ controls: false, seed, train: { epochs: 100_000, batchSize: 16 } });

async function eventsOf(items: AsyncIterable<WatchItem>) {
  const events = [];
  for await (const item of items) if (item.kind === 'event') events.push(item.event);
  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, i) => i + 1),
  );
  return events;
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a distillation is created, watched, waited for and fetched', options, async () => {
  const { distillations } = client;
  const labels = { test: 'whole' };
  const { id } = await distillations.create({ ...files, spec: spec(), options: { labels } });
  const events = await eventsOf(distillations.watch(id));
  assert.deepEqual(events.at(-1)!.data, { state: 'succeeded', attempt: 1 });
  const job = await distillations.wait(id);
  assert.equal(job.state, 'succeeded');
  assert.deepEqual(
    job.inputs.data.map(({ name }) => name).sort(),
    files.dataset.map(({ name }) => name).sort(),
  );
  const pages = [];
  for (let after = 0, open = true; open; ) {
    const page = await distillations.events(id, { after, limit: 50 });
    pages.push(...page.items);
    after = page.last;
    open = page.items.length > 0;
  }
  assert.deepEqual(pages, events);

  const artifacts = await distillations.artifacts(id);
  assert.ok(artifacts.some(({ name }) => name === 'student.onnx'));
  for (const { name, bytes, sha256 } of artifacts) {
    const download = await distillations.download(id, name);
    const found = await bytesOf(download.stream);
    assert.equal(download.sha256, sha256);
    assert.equal(found.length, bytes);
    assert.equal(createHash('sha256').update(found).digest('hex'), sha256);
    const { stream } = await distillations.download(id, name, { from: 100 });
    assert.deepEqual(await bytesOf(stream), found.subarray(100));
  }
  const report = await distillations.report(id);
  assert.ok(report.models.student!.parameters > 0);
  const { train } = await distillations.metrics(id);
  assert.ok(train!.length > 0);

  const labelled = [];
  for await (const each of distillations.list({ label: 'test=whole', state: 'succeeded' }))
    labelled.push(each.id);
  assert.deepEqual(labelled, [id]);
  await distillations.delete(id);
  await assert.rejects(distillations.get(id), { code: 'NOT_FOUND', status: 404 });
});

test('creates with one key make one job; another content under it is refused', options, async () => {
  const input = { ...files, spec: endless(1), idempotencyKey: 'the same' };
  const made = await Promise.all(Array.from({ length: 5 }, () => client.distillations.create(input)));
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  await assert.rejects(client.distillations.create({ ...input, spec: endless(2) }), {
    code: 'IDEMPOTENCY_MISMATCH',
    status: 422,
  });
  await client.distillations.cancel(made[0]!.id);
  assert.equal((await client.distillations.wait(made[0]!.id)).state, 'cancelled');
});

test('a watch outlives the server, and loses nothing', options, async () => {
  const { distillations } = client;
  const { id } = await distillations.create({ ...files, spec: endless(3) });
  let restarted: Promise<unknown> | undefined;
  const restart = async (): Promise<void> => {
    await server.kill();
    await server.start();
    await distillations.cancel(id);
  };
  async function* watched() {
    for await (const item of distillations.watch(id)) {
      yield item;
      if (item.kind !== 'event') continue;
      const { type, data } = item.event;
      // No worker has a paused job, so that nobody's death has to be found out first.
      if (type === 'metrics') await distillations.pause(id);
      if (type === 'state' && (data as { state: string }).state === 'paused') restarted ??= restart();
    }
  }
  const events = await eventsOf(watched());
  await restarted;
  assert.equal((events.at(-1)!.data as { state: string }).state, 'cancelled');
  const again = await distillations.retry(id);
  assert.equal(again.retryOf, id);
  await distillations.cancel(again.id);
  assert.equal((await distillations.wait(again.id)).state, 'cancelled');
});

test('uploads are resumed, and stand for files in a create', options, async () => {
  const stop = new AbortController();
  const big = { name: 'part.bin', data: new Blob([new Uint8Array(3_000_000).fill(7)]) };
  let begun = '';
  const left = client.uploads.create(big, {
    chunkBytes: 1_000_000,
    signal: stop.signal,
    onStart: (id) => {
      begun = id;
    },
    onProgress: (sent) => {
      if (sent > 0) stop.abort();
    },
  });
  await assert.rejects(left, { name: 'AbortError' });
  const { file } = await client.uploads.create(big, { resume: begun });
  const sha256 = createHash('sha256').update(new Uint8Array(3_000_000).fill(7)).digest('hex');
  assert.deepEqual(file, { name: 'part.bin', bytes: 3_000_000, sha256 });

  const [first, ...rest] = files.dataset;
  const { id } = await client.uploads.create(first!);
  const { inputs, id: job } = await client.distillations.create({
    teacher: files.teacher,
    dataset: [id, ...rest],
    spec: endless(4),
  });
  assert.deepEqual(
    inputs.data.map(({ name }) => name),
    files.dataset.map(({ name }) => name),
  );
  await client.distillations.cancel(job);
  assert.equal((await client.distillations.wait(job)).state, 'cancelled');
});

test(
  'models, datasets and webhooks are made, listed and deleted; validate says what a job would meet',
  options,
  async () => {
    const model = await client.models.create({ model: files.teacher });
    assert.equal(model.model.name, 'teacher.onnx');
    const dataset = await client.datasets.create({ dataset: files.dataset, format: 'idx' });
    assert.equal(dataset.state, 'ready', JSON.stringify(dataset.error));
    const hook = await client.webhooks.create({ url: 'https://example.com/hook' });
    assert.match(hook.secret!, /^whsec_/);
    const found = await client.validate({ teacher: model.id, dataset: dataset.id, spec: spec() });
    assert.ok(found.student.parameters > 0);
    assert.ok(found.estimate.seconds.total > 0);
    for (const [resource, id] of [
      [client.models, model.id],
      [client.datasets, dataset.id],
      [client.webhooks, hook.id],
    ] as const) {
      const ids = [];
      for await (const each of resource.list()) ids.push(each.id);
      assert.deepEqual(ids, [id]);
      if (resource !== client.webhooks)
        assert.equal((await (resource as typeof client.models).get(id)).id, id);
    }
    for await (const _ of client.webhooks.deliveries(hook.id)) assert.fail('nothing was sent yet');
    await client.models.delete(model.id);
    await client.datasets.delete(dataset.id);
    await client.webhooks.delete(hook.id);
    await assert.rejects(client.models.get(model.id), { code: 'NOT_FOUND' });
  },
);

test('what the service refuses comes with code, hint and the id of the request', options, async () => {
  const teacher = { name: 'x.onnx', data: new Blob(['no model']) };
  await assert.rejects(client.models.create({ model: teacher }), ({ code, status, requestId }) => {
    assert.match(code, /^ONNX_/);
    assert.equal(status, 422);
    return typeof requestId === 'string';
  });
  const wrong = client.distillations.create({ ...files, spec: { version: 1, trian: 1 } as unknown as Spec });
  await assert.rejects(wrong, { code: 'SPEC_INVALID', status: 400, retryable: false });
  assert.deepEqual(await client.health(), { alive: true, ready: true });
});
