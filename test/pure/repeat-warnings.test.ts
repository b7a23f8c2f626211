import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingOrder } from '../../src/data/order.ts';
import { repeatWarnings } from '../../src/pipeline/teacher/repeat-warnings.ts';

test('a batch of more than all training rows is told with how often it repeats them', () => {
  const rows = Uint32Array.from({ length: 300 }, (_, i) => i);
  assert.deepEqual(repeatWarnings(300, { batchSize: 300 }), []);
  const [batch, ...others] = trainingOrder(rows, 1000, 0, 0);
  const most = Math.max(...rows.map((row) => batch!.filter((each) => each === row).length));
  assert.equal(others.length, 0);
  const words = `a batch of 1000 holds each of the 300 training rows up to ${most} times, and an epoch is one step`;
  assert.ok(repeatWarnings(300, { batchSize: 1000 })[0]!.startsWith(words));
});
