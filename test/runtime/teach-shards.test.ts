import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RetortError } from '../../src/errors.ts';
import type { PartsOrder } from '../../src/pipeline/offer.ts';
import { type JourneyRequest, type Observer, runJourney } from '../../src/pipeline/run.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Eight views, so nine shards with the validation rows. */
const spec = tinySpec({
  controls: false,
  train: { epochs: 8, batchSize: 64, augment: [{ name: 'translate' }] },
});
const request = (more: Partial<JourneyRequest> = {}): JourneyRequest => ({
  ...tinyRequest(spec),
  until: 'teach',
  ...more,
});

/** Counts the rows the teacher is asked, and keeps the parts that were offered after each shard. */
function watching(stopAfter = Number.POSITIVE_INFINITY) {
  const stop = new AbortController();
  const offers: PartsOrder[] = [];
  const observer: Observer = {
    offer: (stage, key, left) => {
      assert.equal(stage, 'teach');
      offers.push({ key, parts: left.parts().map(({ name }) => name) });
      assert.ok(left.milliseconds >= 0 && left.done < left.total);
      if (offers.length === stopAfter) stop.abort();
    },
  };
  return { offers, observer, signal: stop.signal };
}

const expected = (await runJourney(request(), memoryTools())).teach;

test('a stopped teacher goes on with the shards that are missing and repeats none', async () => {
  const tools = memoryTools();
  const first = watching(3);
  await assert.rejects(
    runJourney(request(first), tools),
    (error: RetortError) => error.code === 'CANCELLED' && /teach/.test(error.message),
  );
  assert.equal((await tools.jobs.list({ prefix: 'shard/' })).length, 3);
  const second = watching();
  assert.deepEqual((await runJourney(request(second), tools)).teach, expected);
  assert.deepEqual(
    second.offers.map(({ parts }) => parts.length),
    [5, 4, 3, 2, 1],
  );
  const records = await tools.jobs.list({ prefix: 'shard/' });
  assert.ok(records.every(({ revision, state }) => revision === 1 && state === 'done'));
});

test('shards made by others are taken over: the stage only puts them together', async () => {
  const tools = memoryTools();
  const first = watching(1);
  await assert.rejects(runJourney(request(first), tools));
  const { key, parts } = first.offers[0]!;
  for (const part of [parts.slice(4), parts.slice(0, 4)]) {
    const { teach } = await runJourney(request({ parts: { key, parts: part } }), tools);
    assert.equal(teach, undefined);
  }
  const last = watching();
  assert.deepEqual((await runJourney(request(last), tools)).teach, expected);
  assert.deepEqual(last.offers, []);
});

test('the first shard of a slow teacher is offered with the others while it is being made', async () => {
  let time = 0;
  const clock = { now: Date.now, precise: () => (time += 3000) };
  const first = watching();
  const { teach } = await runJourney(request(first), { ...memoryTools(), clock });
  assert.deepEqual(teach, expected);
  const counts = first.offers.map(({ parts }) => parts.length);
  assert.deepEqual(counts.slice(-8), [8, 7, 6, 5, 4, 3, 2, 1]);
  assert.ok(counts.length > 8 && counts.slice(0, -8).every((count) => count === 9), `${counts}`);
});

test('a process whose stages go by other keys refuses to help instead of working for nobody', async () => {
  const tools = memoryTools();
  const first = watching(1);
  await assert.rejects(runJourney(request(first), tools));
  const { key, parts } = first.offers[0]!;
  const refused = (error: RetortError) => error.code === 'RUNTIME_UNAVAILABLE';
  await assert.rejects(runJourney(request({ parts: { key: '0'.repeat(64), parts } }), tools), refused);
  const other = { ...tools, runtime: { ...tools.runtime, version: 'another' } };
  await assert.rejects(runJourney(request({ parts: { key, parts } }), other), refused);
  assert.equal((await tools.jobs.list({ prefix: 'shard/' })).length, 1);
});
