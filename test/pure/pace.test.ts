import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paceOf } from '../../src/pipeline/cost/pace.ts';

/** A clock that work moves on. */
function clock() {
  let at = 0;
  const spend = (ms: number): void => {
    at += ms;
  };
  return { now: () => at, precise: () => at, spend };
}

test('a pace leaves out the first time, which allocates', async () => {
  const time = clock();
  const pace = await paceOf(time, 100, async (round) => {
    time.spend(round === 0 ? 60 : 20);
    return 10;
  });
  assert.equal(pace, 2);
});

test('where nothing else fits into the budget, the first time is the pace', async () => {
  const time = clock();
  const pace = await paceOf(time, 100, async () => {
    time.spend(500);
    return 5;
  });
  assert.equal(pace, 100);
});

test('work that ends is measured until its end; no work costs nothing', async () => {
  const time = clock();
  const pace = await paceOf(time, 1000, async (round) => {
    time.spend(10);
    return round < 3 ? 1 : 0;
  });
  assert.equal(pace, 10);
  assert.equal(await paceOf(time, 1000, async () => 0), 0);
});
