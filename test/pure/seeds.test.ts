import assert from 'node:assert/strict';
import { test } from 'node:test';
import { intervalOf, t95 } from '../../src/core/interval.ts';
import { seedsReport } from '../../src/pipeline/report/seeds-report.ts';
import type { Trained } from '../../src/pipeline/results.ts';
import { bestRun } from '../../src/pipeline/training/repeat-training.ts';
import { trainingSeed } from '../../src/pipeline/training/training-seed.ts';

test('an interval is that of Student, by hand for three runs', () => {
  // Mean 2, deviation 1; 4.30265 / sqrt(3) = 2.48414.
  const { mean, deviation, low, high, count } = intervalOf([1, 2, 3])!;
  assert.deepEqual([mean, deviation, count], [2, 1, 3]);
  assert.ok(Math.abs(low! - (2 - 2.48414)) < 1e-4 && Math.abs(high! - (2 + 2.48414)) < 1e-4);
  assert.deepEqual(intervalOf([5]), { mean: 5, deviation: null, low: null, high: null, count: 1 });
  assert.equal(intervalOf([]), undefined);
});

test('points of t are those of the tables, also beyond ours', () => {
  for (const [freedom, expected] of [
    [1, 12.7062],
    [10, 2.22814],
    [11, 2.20099],
    [30, 2.04227],
    [99, 1.98422],
  ] as const) {
    assert.ok(Math.abs(t95(freedom) - expected) < 2e-4, `${freedom}: ${t95(freedom)}`);
  }
});

test('differences are taken seed by seed: what both share is not in their interval', () => {
  const runs = [0.5, 0.7, 0.9].map((control, seed) => ({
    seed,
    student: { accuracy: control + 0.1, perClassAccuracy: [1, 0], ece: null },
    control: { accuracy: control, perClassAccuracy: [1, 0], ece: null },
  }));
  const { intervals } = seedsReport(runs, 2);
  assert.deepEqual(Object.keys(intervals), ['accuracy'], 'only what is one number');
  const { student, difference } = intervals.accuracy!;
  assert.ok(student.high! - student.low! > 0.9);
  assert.ok(Math.abs(difference!.mean - 0.1) < 1e-12 && difference!.high! - difference!.low! < 1e-12);
});

test('the best on validation is delivered, the first of equals; without labels by agreement', () => {
  const runs = (...figures: Record<string, number | null>[]) =>
    figures.map((validation) => ({ validation }) as unknown as Trained);
  assert.equal(bestRun(runs({ accuracy: 0.5 }, { accuracy: 0.7 }, { accuracy: 0.7 })), 1);
  assert.equal(bestRun(runs({ accuracy: null, agreement: 0.4 }, { accuracy: null, agreement: 0.6 })), 1);
  assert.equal(bestRun(runs({ accuracy: null, agreement: null }, { accuracy: null, agreement: null })), 0);
});

test('the first training has the seed of the job; later ones are far from it and from each other', () => {
  assert.equal(trainingSeed(7, 0), 7);
  const seeds = Array.from({ length: 100 }, (_, i) => trainingSeed(7, i)).sort((a, b) => a - b);
  assert.ok(seeds.every((seed, i) => i === 0 || seed - seeds[i - 1]! > 1000));
  assert.ok(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff));
});
