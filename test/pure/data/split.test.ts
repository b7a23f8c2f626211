import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { carved, resolveSplits, type SplitRequest } from '../../../src/data/split.ts';
import { noSplit } from '../../../src/data/store.ts';
import { failsWith } from '../../support/data-files.ts';

/** `counts[class]` rows of each class, class by class, in one given split. */
const rowsOf = (counts: readonly number[], split: number) => ({
  labels: counts.flatMap((count, label) => Array<number>(count).fill(label)),
  splits: counts.flatMap((count) => Array<number>(count).fill(split)),
});

function dataset(...parts: ReturnType<typeof rowsOf>[]) {
  return {
    labels: Int32Array.from(parts.flatMap(({ labels }) => labels)),
    given: Uint8Array.from(parts.flatMap(({ splits }) => splits)),
  };
}
const unlabelled = (count: number, split: number) => ({
  labels: Array<number>(count).fill(-1),
  splits: Array<number>(count).fill(split),
});

const resolve = ({ labels, given }: ReturnType<typeof dataset>, request: Partial<SplitRequest> = {}) =>
  resolveSplits(labels, given, { seed: 0, ...request });
const countsOf = (rows: Uint32Array, labels: Int32Array, classes: number) =>
  Array.from({ length: classes }, (_, label) => rows.filter((row) => labels[row] === label).length);

describe('splits', () => {
  test('given ones are kept', () => {
    const set = dataset(rowsOf([5, 5], 0), rowsOf([2, 2], 1), rowsOf([3, 3], 2));
    const { splits, labelled } = resolve(set);
    assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [10, 4, 6]);
    assert.ok(splits.test.every((row) => set.given[row] === 2));
    assert.ok(labelled.every((bit) => bit === 1));
  });

  test('without a single label any row may validate and test', () => {
    const set = dataset(unlabelled(200, noSplit));
    const { splits, labelled } = resolve(set);
    assert.deepEqual(
      [splits.train, splits.validation, splits.test].map(({ length }) => length),
      [153, 17, 30],
    );
    assert.ok(labelled.every((bit) => bit === 0));
    const given = dataset(unlabelled(20, 0), unlabelled(5, 1), unlabelled(6, 2));
    const chosen = resolve(given, { validation: { from: 'train', fraction: 0.5 } }).splits;
    assert.deepEqual([chosen.train.length, chosen.validation.length, chosen.test.length], [10, 10, 6]);
  });

  test('missing ones are carved: stratified, disjoint, complete, unlabelled rows kept for training', () => {
    const set = dataset(rowsOf([200, 60, 40], noSplit), unlabelled(50, noSplit));
    const { splits } = resolve(set);
    assert.deepEqual(
      countsOf(splits.test, set.labels, 3),
      [200, 60, 40].map((n) => n * carved.test),
    );
    assert.deepEqual(countsOf(splits.validation, set.labels, 3), [17, 5, 3]);
    const all = [...splits.train, ...splits.validation, ...splits.test].sort((a, b) => a - b);
    assert.deepEqual(all, [...set.labels.keys()]);
    assert.equal([...splits.train].filter((row) => set.labels[row]! < 0).length, 50);
  });

  test('carving is seeded', () => {
    const set = dataset(rowsOf([100, 100], noSplit));
    assert.deepEqual(resolve(set), resolve(set));
    assert.notDeepEqual(resolve(set).splits.test, resolve(set, { seed: 1 }).splits.test);
  });

  test('validation is carved from training rows, never from test', () => {
    const set = dataset(rowsOf([30, 30], 0), rowsOf([30, 30], 2));
    const { splits } = resolve(set);
    assert.equal(splits.test.length, 60);
    assert.ok(splits.validation.every((row) => set.given[row] === 0));
    for (const name of ['train', 'validation', 'labelled'] as const) {
      assert.throws(
        () => resolve(set, { [name]: { from: 'test' } }),
        failsWith('SPEC_INVALID', /test split/),
      );
    }
  });

  test('test rows are in no other split, whichever they come from; the others count what is left', () => {
    const set = dataset(rowsOf([12, 12], 0), rowsOf([6, 6], 1), rowsOf([3, 3], 2));
    const some = { from: 'validation', perClass: [0, 2] } as const;
    const requests: readonly Partial<SplitRequest>[] = [
      { test: some },
      { test: { from: 'validation' } },
      { test: { from: 'validation' }, validation: { perClass: [0, 2] } },
      { test: some, validation: { perClass: [0, 2] } },
      { test: some, train: { from: 'validation' }, validation: { from: 'train' } },
      { test: { from: 'train', perClass: [0, 2] }, validation: { from: 'train', perClass: [0, 2] } },
    ];
    const counts = requests.map((request) => {
      const { train, validation, test } = resolve(set, request).splits;
      const all = [...train, ...validation, ...test];
      assert.equal(new Set(all).size, all.length, JSON.stringify(request));
      return [train.length, validation.length, test.length];
    });
    assert.deepEqual(counts, [
      [24, 8, 4],
      // All of validation tests: another is carved out of the training rows, or chosen among them.
      [22, 2, 12],
      [20, 4, 12],
      [24, 4, 4],
      [8, 24, 4],
      [16, 4, 4],
    ]);
    // Rows 24 to 29 are the first class of validation: the first two test, the next two validate.
    assert.deepEqual([...resolve(set, requests[3]).splits.validation.slice(0, 2)], [26, 27]);

    const swapped = {
      train: { from: 'validation' },
      validation: { from: 'train' },
      test: { from: 'validation' },
    } as const;
    assert.throws(
      () => resolve(set, swapped),
      failsWith('DATA_EMPTY', /data.train .* the validation split holds 0 besides test/),
    );
  });

  test('the selections of cifar10-5k and cifar10-semi', () => {
    const set = dataset(rowsOf(Array(10).fill(100), 2), rowsOf(Array(10).fill(2500), 0));
    const validation = { from: 'train', perClass: [2250, 2500] } as const;
    const small = resolve(set, { train: { perClass: [0, 500] }, validation });
    assert.deepEqual(countsOf(small.splits.train, set.labels, 10), Array(10).fill(500));
    assert.deepEqual(countsOf(small.splits.validation, set.labels, 10), Array(10).fill(250));
    assert.equal(small.splits.test.length, 1000);
    // Class 3 begins at row 1000 + 3 * 2500: its first 500 are taken, its last 250 validate.
    assert.equal(small.splits.train[1500], 8500);
    assert.equal(small.splits.train[1999], 8999);
    assert.equal(small.splits.validation[750], 8500 + 2250);

    const semi = resolve(set, {
      train: { perClass: [0, 2250] },
      validation,
      labelled: { perClass: [0, 100] },
    });
    const usable = semi.splits.train.filter((row) => semi.labelled[row] === 1);
    assert.equal(semi.splits.train.length, 22_500);
    assert.deepEqual(countsOf(usable, set.labels, 10), Array(10).fill(100));
    assert.equal(usable[100], 1000 + 2500);
    assert.ok(
      semi.splits.validation.every((row) => semi.labelled[row] === 1),
      'labels outside training are whole',
    );
  });

  test('unchosen training rows stay out of validation and the reverse', () => {
    const set = dataset(rowsOf([10, 10], 0), rowsOf([4, 4], 2));
    const { splits } = resolve(set, { validation: { from: 'train', perClass: [0, 3] } });
    assert.deepEqual([...splits.validation], [0, 1, 2, 10, 11, 12]);
    assert.equal(splits.train.length, 14);
    const half = resolve(set, { train: { fraction: 0.5 }, test: { fraction: 0.5 } });
    assert.equal(half.splits.train.length + half.splits.validation.length, 10);
    assert.equal(half.splits.test.length, 4);
  });

  test('overlaps and empty selections are refused', () => {
    const set = dataset(rowsOf([10, 10], 0), rowsOf([4, 4], 2));
    const overlap = {
      train: { perClass: [0, 6] },
      validation: { from: 'train', perClass: [5, 10] },
    } as const;
    assert.throws(() => resolve(set, overlap), failsWith('SPEC_INVALID', /share 2 rows/));
    assert.throws(
      () => resolve(set, { train: { perClass: [50, 60] } }),
      failsWith('DATA_EMPTY', /data.train/),
    );
    assert.throws(
      () => resolve(set, { train: { perClass: [0, 5] }, labelled: { perClass: [5, 10] } }),
      failsWith('DATA_EMPTY', /data.labelled leaves no training row/),
    );
    assert.throws(() => resolve(dataset(rowsOf([1], noSplit))), failsWith('DATA_EMPTY'));
  });
});
