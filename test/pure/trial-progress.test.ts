import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrialProgress } from '../../src/pipeline/choice/trial-progress.ts';

test('progress of trials only rises, counts each by its weight, and ends at the total', () => {
  const seen: [number, number, string | undefined][] = [];
  const progress = new TrialProgress((...said) => void seen.push([said[0], said[1], said[2]]), 2);
  const short = progress.next(0.5, 'short');
  short(1, 2);
  short(2, 2);
  // Found done: it says nothing.
  progress.next(0.5, 'found');
  // Stopped early.
  progress.next(1, 'whole')(1, 4);
  progress.end();
  assert.deepEqual(seen, [
    [0.25, 2, 'short'],
    [0.5, 2, 'short'],
    [1.25, 2, 'whole'],
    [2, 2, 'whole'],
  ]);
  progress.end();
  assert.equal(seen.length, 4);
});
