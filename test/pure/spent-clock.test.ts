import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpentClock } from '../../bench/methods/spent-clock.ts';

test('processor time counts in the stages recover, choose and train alone, over all processes and attempts', () => {
  const clock = new SpentClock({ train: 100, cpu: 10, all: 200 });
  const stage = (name: string, state: 'started' | 'done', cpu: number) =>
    clock.see({ kind: 'stage', stage: name, state, cpu });
  stage('recover', 'started', 0);
  stage('recover', 'done', 1);
  stage('teach', 'started', 1);
  stage('teach', 'done', 50);
  stage('choose', 'started', 50);
  stage('choose', 'done', 53);
  stage('train', 'started', 54);
  clock.see({ kind: 'progress', stage: 'train', done: 1, total: 2, cpu: 58 });
  // Killed there; the next process begins anew.
  clock.leave();
  stage('train', 'started', 2);
  stage('train', 'done', 5);
  stage('evaluate', 'started', 5);
  stage('evaluate', 'done', 90);
  const { cpu, train, all } = clock.spent();
  assert.equal(cpu, 10 + 1 + 3 + 4 + 3);
  assert.ok(train >= 100 && train < 101 && all >= 200 && all < 201);
});
