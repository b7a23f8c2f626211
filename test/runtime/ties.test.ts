import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientsOf } from '../support/gradients-of.ts';

/** Where a function has a kink, finite differences say nothing: the conventions, computed by hand. */

const row = (...values: number[]) => ({ values, dims: [values.length] });
const matrix = (...rows: number[][]) => ({ values: rows.flat(), dims: [rows.length, rows[0]!.length] });
const axes = (...values: number[]) => ({ values, dims: [values.length], dtype: 'int64' as const });

test('the first of equal largest or smallest elements takes the gradient of a reduction', async () => {
  const x = matrix([1, 3, 3, 2], [5, 5, 5, 5]);
  assert.deepEqual(await gradientsOf('ReduceMax', [x, axes(1)], [10, 20]), [[0, 10, 0, 0, 20, 0, 0, 0]]);
  assert.deepEqual(await gradientsOf('ReduceMin', [x, axes(1)], [10, 20]), [[10, 0, 0, 0, 20, 0, 0, 0]]);
});

test('over several axes the first element is the first in row-major order', async () => {
  // x [2, 2, 2]; axes 0 and 2: for each middle index the elements in the order (0, 0), (0, 1), (1, 0), (1, 1).
  const x = { values: [0, 7, 1, 1, 7, 7, 4, 4], dims: [2, 2, 2] };
  const [dx] = await gradientsOf('ReduceMax', [x, axes(0, 2)], [1, 2], { keepdims: 0 });
  assert.deepEqual(dx, [0, 1, 0, 0, 0, 0, 2, 0]);
});

test('the first input that reaches the extreme takes the gradient of Max and Min', async () => {
  const operands = [row(1, 2, 3, 4), row(2, 2, 3, 1), row(2, 2, 4, 4)];
  assert.deepEqual(await gradientsOf('Max', operands, [1, 10, 100, 1000]), [
    [0, 10, 0, 1000],
    [1, 0, 0, 0],
    [0, 0, 100, 0],
  ]);
  assert.deepEqual(await gradientsOf('Min', operands, [1, 10, 100, 1000]), [
    [1, 10, 100, 0],
    [0, 0, 0, 1000],
    [0, 0, 0, 0],
  ]);
});

test('at its bounds Clip gives the gradient to the bound', async () => {
  const scalar = (value: number) => ({ values: [value], dims: [] });
  const [dx, low, high] = await gradientsOf(
    'Clip',
    [row(-2, -1, 0, 1, 2), scalar(-1), scalar(1)],
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(dx, [0, 0, 3, 0, 0]);
  assert.deepEqual([low, high], [[3], [9]]);
});

test('activations at their kink', async () => {
  const at = async (op: string, x: number) => (await gradientsOf(op, [row(x)], [1]))[0]![0];
  assert.equal(await at('Relu', 0), 0);
  assert.equal(await at('Abs', 0), 0);
  assert.equal(await at('Elu', 0), 1);
  assert.equal(await at('HardSwish', 3), 1);
  assert.equal(await at('HardSwish', -3), 0);
  assert.equal(await at('HardSigmoid', -2.5), 0);
});

test('a place that MaxUnpool fills twice gives its gradient to both', async () => {
  const x = { values: [1, 2], dims: [1, 1, 2] };
  const places = { values: [3, 3], dims: [1, 1, 2], dtype: 'int64' as const };
  const attributes = { kernel_shape: [2], strides: [2] };
  assert.deepEqual(await gradientsOf('MaxUnpool', [x, places], [1, 2, 3, 4], attributes), [[4, 4]]);
});

test('a product with zeros: the gradient is the product of the others, never NaN', async () => {
  const x = matrix([2, 0, 3], [0, 5, 0], [2, 3, 4]);
  const [dx] = await gradientsOf('ReduceProd', [x, axes(1)], [1, 1, 10]);
  assert.deepEqual(dx, [0, 6, 0, 0, 0, 0, 120, 80, 60]);
});

test('norms of zero vectors have gradient zero', async () => {
  const x = matrix([0, 0], [3, 4]);
  const close = (found: number[] | undefined, expected: readonly number[]) =>
    found!.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) < 1e-6, `${found} is not ${expected}`);
    });
  close((await gradientsOf('ReduceL2', [x, axes(1)], [1, 10]))[0], [0, 0, 6, 8]);
  close((await gradientsOf('ReduceL1', [x, axes(1)], [1, 10]))[0], [0, 0, 10, 10]);
  // y = [0.6, 0.8], dy = [1, 0]: (dy - y 0.6) / 5.
  close((await gradientsOf('LpNormalization', [x], [1, 1, 1, 0]))[0], [0, 0, 0.128, -0.096]);
});

test('powers at zero: a^0 is flat, 0^p does not move with p', async () => {
  const [base, exponent] = await gradientsOf('Pow', [row(0, 0, 2), row(0, 2, 3)], [1, 1, 1]);
  assert.deepEqual(base, [0, 0, 12]);
  assert.deepEqual(exponent!.slice(0, 2), [0, 0]);
  assert.ok(Math.abs(exponent![2]! - 8 * Math.LN2) < 1e-5);
});

test('an index that repeats accumulates exactly, also with several threads', async () => {
  const count = 50_000;
  const indices = Array.from({ length: count }, (_, i) => (i * 7 + (i >> 3)) % 4);
  const dy = Array.from({ length: count * 8 }, (_, i) => ((i * 37) % 11) - 5);
  const expected = new Array<number>(32).fill(0);
  dy.forEach((value, i) => {
    expected[indices[i >> 3]! * 8 + (i & 7)]! += value;
  });
  const table = { values: new Array<number>(32).fill(0), dims: [4, 8] };
  const picked = { values: indices, dims: [count], dtype: 'int64' as const };
  // Integers below 2^24: float32 sums are exact in any order, unless threads lose updates.
  const [dx] = await gradientsOf('Gather', [table, picked], dy, {}, 2);
  assert.deepEqual(dx, expected);
});
