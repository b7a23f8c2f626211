import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestAssignment } from '../../src/core/metrics/assignment.ts';
import { metrics } from '../../src/core/metrics/index.ts';
import type { Scores } from '../../src/core/metrics/metric.ts';
import { teacherQuality } from '../../src/core/metrics/teacher-quality.ts';
import { Random } from '../../src/core/random.ts';

const close = (actual: unknown, expected: number, tolerance = 1e-6): void =>
  assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${actual} is not ${expected}`);

/** Probabilities .9/.1, .6/.4 (wrong), .8/.2 and an unlabelled row. */
const scores: Scores = {
  classes: 2,
  logits: Float32Array.from([9, 1, 6, 4, 2, 8, 5, 1].map(Math.log)),
  labels: Int32Array.from([0, 1, 1, -1]),
  teacherLogits: Float32Array.from([9, 1, 4, 6, 2, 8, 1, 9].map(Math.log)),
};

test('accuracy counts labelled rows only', () => {
  close(metrics.accuracy.compute(scores), 2 / 3);
  assert.deepEqual(metrics.perClassAccuracy.compute(scores), [1, 0.5]);
  close(metrics.balancedAccuracy.compute(scores), 0.75);
});

test('agreement and divergence compare with the teacher on all rows', () => {
  close(metrics.agreement.compute(scores), 0.5);
  const kl = (p: number, q: number) => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
  close(metrics.klToTeacher.compute(scores), (kl(0.4, 0.6) + kl(0.1, 5 / 6)) / 4);
});

test('calibration error is the weighted gap of each bin', () => {
  // Each labelled row lies in a bin of its own: |1 - .9| + |0 - .6| + |1 - .8|, over three rows.
  close(metrics.ece.compute(scores), (0.1 + 0.6 + 0.2) / 3);
});

test('a class without rows has no accuracy, and no rows give no figure', () => {
  const empty: Scores = { classes: 3, logits: new Float32Array(), labels: new Int32Array() };
  assert.equal(metrics.accuracy.compute(empty), null);
  assert.equal(metrics.ece.compute(empty), null);
  assert.deepEqual(metrics.perClassAccuracy.compute(empty), [null, null, null]);
});

test('the best assignment equals the best of all permutations', () => {
  const permutations = (list: number[]): number[][] =>
    list.length < 2
      ? [list]
      : list.flatMap((x, i) => permutations(list.toSpliced(i, 1)).map((rest) => [x, ...rest]));
  for (let trial = 0; trial < 20; trial++) {
    const n = 1 + (trial % 6);
    const random = new Random(trial, 'gain');
    const gain = Float64Array.from({ length: n * n }, () => random.int(20) - 5);
    const value = (columns: number[]) => columns.reduce((sum, c, r) => sum + gain[r * n + c]!, 0);
    const found = bestAssignment(gain, n);
    assert.equal(new Set(found).size, n);
    const best = Math.max(...permutations(Array.from({ length: n }, (_, i) => i)).map(value));
    assert.equal(value(found), best);
  }
});

/** Rows whose predicted class is right with the given probability. */
function teacher(rows: number, classes: number, right: number, rename = (c: number) => c): Scores {
  const random = new Random(7, 'teacher');
  const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
  const logits = new Float32Array(rows * classes);
  labels.forEach((label, row) => {
    logits[row * classes + rename(random.uniform() < right ? label : random.int(classes))] = 5;
  });
  return { classes, logits, labels };
}

test('the gate passes good teachers and refuses chance, permuted classes and a constant answer', () => {
  assert.equal(teacherQuality(teacher(2000, 10, 0.6)).passes, true);
  assert.equal(teacherQuality(teacher(2000, 10, 0.05)).passes, false);
  assert.equal(teacherQuality(teacher(3, 3, 0.5)).passes, false);
  const permuted = teacherQuality(teacher(2000, 10, 0.9, (c) => (c + 3) % 10));
  assert.equal(permuted.passes, false);
  assert.ok(permuted.permutedAccuracy > 0.85);
  const skewed: Scores = {
    classes: 2,
    logits: new Float32Array(2000).map((_, i) => (i % 2 === 0 ? 1 : 0)),
    labels: Int32Array.from({ length: 1000 }, (_, i) => (i < 900 ? 0 : 1)),
  };
  const constant = teacherQuality(skewed);
  close(constant.accuracy, 0.9);
  assert.equal(constant.passes, false);
});
