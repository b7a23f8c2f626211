import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalish, splitmix64, uniform } from '../../../src/core/gradcheck/counter-hash.ts';

test('splitmix64 gives the published sequence of seed 1234567', () => {
  const published = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n];
  assert.deepEqual(
    published.map((_, i) => splitmix64(1234567n, i + 1)),
    published,
  );
});

test('uniform covers [0, 1) and normalish has mean 0 and variance 1', () => {
  const count = 4000;
  const draws = Array.from({ length: count }, (_, i) => normalish(7, i + 1));
  const mean = draws.reduce((sum, value) => sum + value, 0) / count;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  assert.ok(Math.abs(mean) < 0.05, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.05, `variance ${variance}`);
  for (let i = 1; i <= 100; i++) assert.ok(uniform(3n, i) >= 0 && uniform(3n, i) < 1);
});
