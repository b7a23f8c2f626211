import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NDArray } from '../../../src/core/ndarray.ts';
import { mixWeight, partnersOf, planAugment } from '../../../src/data/augment/pipeline.ts';
import { BatchMaker, type BatchPlan } from '../../../src/data/batch.ts';
import type { Column, Dataset } from '../../../src/data/dataset.ts';
import { stepsPerEpoch, trainingOrder } from '../../../src/data/order.ts';
import { planInput } from '../../../src/data/preprocess.ts';
import type { RetortError } from '../../../src/errors.ts';
import { failsWith } from '../../support/data-files.ts';

const rows = 12;
const image: Column = { name: 'image', kind: 'image', dtype: 'uint8', dims: [6, 6, 3] };
const vector: Column = { name: 'v', kind: 'array', dtype: 'float32', dims: [2] };
const ids: Column = { name: 'ids', kind: 'array', dtype: 'int64', dims: [1] };

/** Rows 10 and 11 have no label. */
const dataset: Dataset = {
  columns: [image, vector, ids],
  rows,
  classes: ['a', 'b', 'c'],
  labels: Int32Array.from({ length: rows }, (_, i) => (i < 10 ? i % 3 : -1)),
  splits: {
    train: Uint32Array.from({ length: rows }, (_, i) => i),
    validation: new Uint32Array(),
    test: new Uint32Array(),
  },
  async read(name, list): Promise<NDArray> {
    const picked = Array.from(list);
    if (name === 'v') {
      const data = Float32Array.from(picked.flatMap((row) => [row, -row]));
      return { dtype: 'float32', dims: [picked.length, 2], data };
    }
    if (name === 'ids') {
      return { dtype: 'int64', dims: [picked.length, 1], data: BigInt64Array.from(picked, BigInt) };
    }
    const data = Uint8Array.from(
      picked.flatMap((row) => Array.from({ length: 108 }, (_, i) => (row * 53 + i * 7) % 256)),
    );
    return { dtype: 'uint8', dims: [picked.length, 6, 6, 3], data };
  },
  close: async () => {},
};
const pictures = { x: planInput('x', { scale: 1 / 255 }, image) };
const augment = planAugment([
  { name: 'crop', options: { padding: 2 } },
  { name: 'rotate', options: {} },
]);
const part = (array: NDArray, i: number): number[] => {
  const data = array.data as Float32Array;
  const size = data.length / array.dims[0]!;
  return [...data.subarray(i * size, (i + 1) * size)];
};

const assembleBatch = (from: Dataset, list: ArrayLike<number>, epoch: number, plan: BatchPlan) =>
  new BatchMaker(from, plan).assemble(list, epoch);

describe('batches', () => {
  test('a row has the same pixels wherever it stands and whoever asks', async () => {
    const plan = { inputs: pictures, augment, seed: 5 };
    const first = await assembleBatch(dataset, [4, 7, 1], 2, plan);
    const second = await assembleBatch(dataset, [0, 1, 2, 3, 4], 2, plan);
    assert.deepEqual(part(first.inputs.x!, 0), part(second.inputs.x!, 4));
    assert.deepEqual(part(first.inputs.x!, 2), part(second.inputs.x!, 1));
    const later = await assembleBatch(dataset, [4], 3, plan);
    assert.notDeepEqual(part(later.inputs.x!, 0), part(first.inputs.x!, 0));
  });

  test('buffers are reused and fully overwritten', async () => {
    const maker = new BatchMaker(dataset, { inputs: pictures, augment, seed: 5 });
    const into = maker.buffers(2);
    const fresh = await maker.assemble([8, 10], 1);
    await maker.assemble([3, 4], 0, into);
    assert.equal(await maker.assemble([8, 10], 1, into), into);
    assert.deepEqual(into, fresh);
  });

  test('labels: one-hot, smoothed, masked', async () => {
    const plain = await assembleBatch(dataset, [1, 10], 0, { inputs: pictures, seed: 0 });
    assert.deepEqual([...plain.labels], [0, 1, 0, 0, 0, 0]);
    const labelled = new Uint8Array(rows).fill(1);
    labelled[4] = 0;
    const smooth = await assembleBatch(dataset, [2, 4], 0, {
      inputs: pictures,
      seed: 0,
      smoothing: 0.3,
      labelled,
    });
    const expected = [0.1, 0.1, 0.8, 0, 0, 0];
    for (const [i, value] of smooth.labels.entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-6);
    const wide = await assembleBatch(dataset, [2], 0, { inputs: pictures, seed: 0, classes: 5 });
    assert.deepEqual([...wide.labels], [0, 0, 1, 0, 0]);
    assert.throws(
      () => new BatchMaker(dataset, { inputs: pictures, seed: 0, classes: 2 }),
      failsWith('DATA_MISMATCH'),
    );
  });

  test('mixup: pixels and labels are the same mix of both augmented rows', async () => {
    const mixing = planAugment([
      { name: 'crop', options: { padding: 2 } },
      { name: 'mixup', options: { alpha: 1 } },
    ]);
    const alone = planAugment([{ name: 'crop', options: { padding: 2 } }]);
    const list = [...dataset.splits.train];
    const partners = partnersOf(dataset.splits.train, 9, 4);
    const mixed = await assembleBatch(dataset, list, 4, { inputs: pictures, augment: mixing, seed: 9 });
    const own = await assembleBatch(dataset, list, 4, { inputs: pictures, augment: alone, seed: 9 });
    for (const row of list) {
      const w = mixWeight(mixing, 9, 4, row);
      const other = part(own.inputs.x!, partners[row]!);
      for (const [i, value] of part(own.inputs.x!, row).entries()) {
        const expected = w * value + (1 - w) * other[i]!;
        assert.ok(Math.abs(part(mixed.inputs.x!, row)[i]! - expected) < 1e-6);
      }
      const label = [...mixed.labels.subarray(3 * row, 3 * row + 3)];
      const pair = [dataset.labels[row]!, dataset.labels[partners[row]!]!];
      const share = [0, 1, 2].map((c) => (pair[0] === c ? w : 0) + (pair[1] === c ? 1 - w : 0));
      const expected = pair.some((one) => one < 0) ? [0, 0, 0] : share;
      for (const [c, value] of label.entries()) assert.ok(Math.abs(value - expected[c]!) < 1e-6);
    }
  });

  test('arrays: normalised per feature, whole numbers untouched, never turned', async () => {
    const inputs = {
      v: planInput('v', { scale: 2, mean: [1, 0], std: [2, 4] }, vector),
      ids: planInput('ids', {}, ids, 'int64'),
    };
    const batch = await assembleBatch(dataset, [3, 5], 0, { inputs, seed: 0 });
    assert.deepEqual([...(batch.inputs.v!.data as Float32Array)], [2.5, -1.5, 4.5, -2.5]);
    assert.deepEqual([...(batch.inputs.ids!.data as BigInt64Array)], [3n, 5n]);
    assert.throws(
      () => new BatchMaker(dataset, { inputs, augment, seed: 0 }),
      failsWith('SPEC_INVALID', /no pictures/),
    );
  });

  test('whole numbers: no fraction is cut off, none wraps, none is scaled or mixed', async () => {
    const of = (value: number): Dataset => ({
      ...dataset,
      read: async () => ({ dtype: 'float32', dims: [1, 2], data: Float32Array.of(3, value) }),
    });
    const plan = (dtype: 'float32' | 'uint8' | 'int32' | 'int64') => ({
      inputs: { v: planInput('v', {}, vector, dtype) },
      seed: 0,
    });
    const batch = await assembleBatch(of(7), [5], 0, plan('int64'));
    assert.deepEqual([...(batch.inputs.v!.data as BigInt64Array)], [3n, 7n]);
    for (const [dtype, value] of [
      ['uint8', 256],
      ['uint8', -1],
      ['int32', 0.5],
      ['int32', 2 ** 31],
      ['int64', Number.NaN],
      ['int64', Number.POSITIVE_INFINITY],
    ] as const) {
      await assert.rejects(
        assembleBatch(of(value), [5], 0, plan(dtype)),
        failsWith('DATA_MISMATCH', /input v takes whole numbers .* row 5 of column v holds/),
      );
    }
    assert.throws(
      () => planInput('ids', { mean: [1] }, ids, 'int32'),
      failsWith('DATA_MISMATCH', /not scaled/),
    );
    const mixing = planAugment([{ name: 'mixup', options: {} }]);
    assert.throws(
      () => new BatchMaker(dataset, { ...plan('int32'), augment: mixing }),
      (error: RetortError) =>
        failsWith('SPEC_INVALID', /cannot be mixed/)(error) &&
        error.hint === 'Leave out mixup: "augment": [] in train.',
    );
    const moving = planAugment(
      ['flip', 'mixup', 'translate'].map((name) => ({ name, options: name === 'mixup' ? { alpha: 1 } : {} })),
    );
    for (const [dtype, left] of [
      ['float32', '[{"name":"mixup","alpha":1}]'],
      ['int32', '[]'],
    ] as const) {
      assert.throws(
        () => new BatchMaker(dataset, { ...plan(dtype), augment: moving }),
        (error: RetortError) =>
          error.hint === `Leave out flip, translate: "augment": ${left} in train.` &&
          /holds no pictures/.test(error.message),
      );
    }
  });

  test('bytes for teachers that normalise themselves', async () => {
    const inputs = { x: planInput('x', { layout: 'NHWC', colour: 'BGR' }, image, 'uint8') };
    const batch = await assembleBatch(dataset, [2], 0, { inputs, seed: 0 });
    const raw = (await dataset.read('image', [2])).data as Uint8Array;
    assert.deepEqual([...(batch.inputs.x!.data as Uint8Array)].slice(0, 6), [
      raw[2],
      raw[1],
      raw[0],
      raw[5],
      raw[4],
      raw[3],
    ]);
  });
});

describe('what a teacher input takes', () => {
  test('layout is read off the shape; one unknown dimension is filled; equal counts are reshaped', () => {
    assert.equal(planInput('x', {}, image, 'float32', [6, 6, 3]).layout, 'NHWC');
    assert.deepEqual(planInput('x', {}, image, 'float32', [3, undefined, undefined]).dims, [3, 6, 6]);
    assert.deepEqual(planInput('x', {}, image, 'float32', [108]).dims, [108]);
    assert.deepEqual(planInput('x', {}, image, 'float32', [1, undefined]).dims, [1, 108]);
  });

  test('what does not fit is refused by name', () => {
    const refused = failsWith('DATA_MISMATCH', /input x/);
    assert.throws(() => planInput('x', {}, image, 'float32', [3, 7, 7]), refused);
    assert.throws(() => planInput('x', {}, image, 'float32', [100]), refused);
    assert.throws(() => planInput('x', { mean: [1, 2] }, image), refused);
    assert.throws(() => planInput('x', { colour: 'grey' }, image), refused);
    assert.throws(() => planInput('x', { size: [7, 7] }, image), refused);
    assert.throws(() => planInput('x', { size: [7, 7] }, vector), refused);
  });
});

describe('order of rows', () => {
  const list = Uint32Array.from({ length: 10 }, (_, i) => i + 100);

  test('training: a seeded shuffle without the ragged rest', () => {
    const batches = trainingOrder(list, 3, 0, 0);
    assert.equal(batches.length, stepsPerEpoch(10, 3));
    const seen = batches.flatMap((batch) => [...batch]);
    assert.equal(new Set(seen).size, 9);
    assert.ok(seen.every((row) => list.includes(row)));
    assert.deepEqual(trainingOrder(list, 3, 0, 0), batches);
    assert.notDeepEqual(trainingOrder(list, 3, 0, 1), batches);
    assert.notDeepEqual(trainingOrder(list, 3, 1, 0), batches);
  });

  test('training: fewer rows than a batch go round', () => {
    const [batch, ...more] = trainingOrder(list, 24, 0, 0);
    assert.equal(more.length, 0);
    assert.equal(stepsPerEpoch(10, 24), 1);
    const counts = [...list].map((row) => batch!.filter((other) => other === row).length);
    assert.deepEqual(counts.sort(), [2, 2, 2, 2, 2, 2, 3, 3, 3, 3]);
  });
});
