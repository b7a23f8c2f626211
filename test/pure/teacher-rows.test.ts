import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NDArray } from '../../src/core/ndarray.ts';
import { chooseTeacherRows } from '../../src/pipeline/teacher/choose-teacher-rows.ts';

/** A teacher on a clock of its own: so many milliseconds per run, and per row. */
function teacher(cost: (rows: number) => number, rows = 256) {
  let now = 0;
  const seen: number[] = [];
  const sample: NDArray = { dtype: 'float32', dims: [rows, 2], data: new Float32Array(2 * rows) };
  const clock = { now: () => now, precise: () => now };
  const run = async ({ dims, data }: NDArray): Promise<void> => {
    assert.equal(data.length, 2 * dims[0]!);
    seen.push(dims[0]!);
    now += cost(dims[0]!);
  };
  return { clock, seen, question: { sample, asked: 1_000_000, fixed: null, run }, spent: () => now };
}

test('as many rows as hide the cost of a run, and no more', async () => {
  const overhead = teacher((rows) => 2 + 0.02 * rows);
  assert.equal((await chooseTeacherRows(overhead.question, overhead.clock)).rows, 256);
  // Beyond 16 rows each costs twice as much: they no longer fit the cache.
  const cache = teacher((rows) => 0.1 + rows * (rows > 16 ? 0.2 : 0.1));
  const { rows, reason } = await chooseTeacherRows(cache.question, cache.clock);
  assert.equal(rows, 16);
  assert.match(reason, /^rows per second by rows per run: 1: 5000, .*, 16: 9410, 32: 4920,/);
  const flat = teacher((rows) => rows);
  assert.equal((await chooseTeacherRows(flat.question, flat.clock)).rows, 1);
});

test('measuring takes about a second, and a slow teacher is not asked twice for many rows', async () => {
  const quick = teacher((rows) => 1 + 0.05 * rows);
  await chooseTeacherRows(quick.question, quick.clock);
  assert.ok(quick.spent() < 1300, `${quick.spent()} ms`);
  const slow = teacher((rows) => 700 * rows);
  const { rows } = await chooseTeacherRows(slow.question, slow.clock);
  assert.equal(rows, 1);
  assert.deepEqual(slow.seen, [1, 2]);
});

test('nothing is measured where it decides nothing', async () => {
  const few = teacher(() => 1);
  const choice = await chooseTeacherRows({ ...few.question, asked: 1000 }, few.clock);
  assert.deepEqual(choice, { rows: 64, reason: '1000 rows are too few to measure' });
  assert.ok(few.spent() < 150);
  const fixed = teacher(() => 1);
  const one = await chooseTeacherRows({ ...fixed.question, fixed: 1 }, fixed.clock);
  assert.deepEqual([one.rows, fixed.seen.length], [64, 0]);
  const small = teacher(() => 10, 6);
  assert.equal((await chooseTeacherRows(small.question, small.clock)).rows, 4);
});
