import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { diskFolder } from '../../../src/adapters/files/disk-folder.ts';
import { fileSource } from '../../../src/adapters/files/file-source.ts';
import { sharpDecoder } from '../../../src/adapters/images/sharp-decoder.ts';
import { unpack } from '../../../src/data/archives/unpack.ts';
import { planAugment } from '../../../src/data/augment/pipeline.ts';
import { BatchMaker } from '../../../src/data/batch.ts';
import { type IngestRequest, ingest } from '../../../src/data/ingest.ts';
import { type OpenOptions, openDataset, type StoredDataset } from '../../../src/data/open-dataset.ts';
import { trainingOrder } from '../../../src/data/order.ts';
import type { PictureDecoder } from '../../../src/data/picture.ts';
import { planInput } from '../../../src/data/preprocess.ts';
import { MemoryFolder, memorySource, zipOf } from '../../support/data-files.ts';
import { fixture } from '../../support/fixtures.ts';

/** Ingests fixtures into a folder on disk and hands the opened dataset on. */
async function withData(
  t: TestContext,
  paths: readonly string[],
  request: Partial<IngestRequest>,
  options: OpenOptions,
  body: (dataset: StoredDataset) => Promise<void> | void,
): Promise<void> {
  const found = paths.map((path) => fixture(`fixtures/data/${path}`));
  if (found.some((path) => path === undefined)) return t.skip('no shared fixtures');
  const root = await mkdtemp(join(tmpdir(), 'retort-data-'));
  const files = await Promise.all(found.map((path) => fileSource(path!)));
  try {
    const folder = await diskFolder(root);
    const start = performance.now();
    await ingest({ files, folder, decoder: sharpDecoder(), ...request });
    t.diagnostic(`ingested in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    const dataset = await openDataset(folder, options);
    try {
      await body(dataset);
    } finally {
      await dataset.close();
    }
  } finally {
    for (const file of files) await file.close();
    await rm(root, { recursive: true, force: true });
  }
}

const cifarSplits = {
  seed: 0,
  train: { perClass: [0, 500] },
  validation: { from: 'train', perClass: [2250, 2500] },
} as const;

describe('real data', () => {
  test('cifar10.zip: 35,000 pictures, selections by file number', async (t) => {
    // Where rows lie does not hang on their pixels: the first bytes of each file stand for them, the next test decodes.
    const decoder: PictureDecoder = {
      decode: async (picture) => ({
        dtype: 'uint8',
        dims: [16, 16, 1],
        data:
          'encoded' in picture ? picture.encoded.slice(picture.encoded.length - 256) : new Uint8Array(256),
      }),
    };
    await withData(
      t,
      ['cifar10.zip'],
      { decoder },
      { splits: cifarSplits, cacheBytes: 0 },
      async (dataset) => {
        assert.equal(dataset.rows, 35_000);
        assert.deepEqual(dataset.classes.slice(0, 3), ['airplane', 'automobile', 'bird']);
        const { train, validation, test: held } = dataset.splits;
        assert.deepEqual([train.length, validation.length, held.length], [5000, 2500, 10_000]);
        const card = dataset.card();
        assert.ok(card.classes.every(({ counts }) => counts.train === 500 && counts.test === 1000));
        assert.equal(card.rejects.count, 0);
        // Training row 500 is the first automobile, train/automobile/0000.jpg; validation begins at train/airplane/2250.jpg.
        const zip = await fileSource(fixture('fixtures/data/cifar10.zip')!);
        const upload = await unpack([zip]);
        const wanted = new Map([
          ['train/automobile/0000.jpg', train[500]!],
          ['train/airplane/2250.jpg', validation[0]!],
          ['test/airplane/0000.jpg', held[0]!],
        ]);
        for await (const entry of upload.entries()) {
          const row = wanted.get(entry.path);
          if (row === undefined) continue;
          const tail = new Uint8Array((await entry.read()).slice(-256));
          assert.deepEqual((await dataset.read('image', [row])).data, tail, entry.path);
          wanted.delete(entry.path);
        }
        assert.equal(wanted.size, 0);
        await zip.close();
      },
    );
  });

  test('cifar10.zip: pictures decode and become batches quickly', async (t) => {
    const path = fixture('fixtures/data/cifar10.zip');
    if (path === undefined) return t.skip('no shared fixtures');
    const zip = await fileSource(path);
    const upload = await unpack([zip]);
    const picked: (readonly [string, Uint8Array])[] = [];
    for await (const entry of upload.entries()) {
      if (/^train.*[05]0\.jpg$/.test(entry.path)) picked.push([entry.path, await entry.read()]);
    }
    await zip.close();
    const folder = new MemoryFolder();
    const start = performance.now();
    const files = [memorySource('some.zip', await zipOf(picked, false))];
    await ingest({ files, folder, decoder: sharpDecoder(), pictures: { size: [32, 32], colour: 'RGB' } });
    t.diagnostic(`${((performance.now() - start) / picked.length).toFixed(2)} ms to ingest a picture`);

    const dataset = await openDataset(folder, { splits: { seed: 0 } });
    assert.deepEqual([dataset.rows, dataset.columns[0]!.dims], [500, [32, 32, 3]]);
    const augment = planAugment([
      { name: 'crop', options: { padding: 4 } },
      { name: 'flip', options: {} },
    ]);
    const wish = { scale: 1 / 255, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };
    const inputs = { input: planInput('input', wish, dataset.columns[0]!) };
    const maker = new BatchMaker(dataset, { inputs, augment, seed: 0 });
    const into = maker.buffers(64);
    const times: number[] = [];
    let sum = 0;
    let squares = 0;
    for (let epoch = 0; epoch < 30; epoch++) {
      for (const batch of trainingOrder(dataset.splits.train, 64, 0, epoch)) {
        const begin = performance.now();
        await maker.assemble(batch, epoch, into);
        times.push(performance.now() - begin);
        for (const x of into.inputs.input!.data as Float32Array) {
          sum += x;
          squares += x * x;
        }
      }
    }
    const count = times.length * 64 * 3072;
    t.diagnostic(`fastest batch of 64, cropped, flipped, normalised: ${Math.min(...times).toFixed(2)} ms`);
    assert.ok(Math.min(...times) < 10, 'a batch is far too slow');
    // The border: shifts of 20/9 pixels on average blacken 1 - (1 - 20/288)^2 = 13.4 % of the pixels, worth -2.36 each.
    assert.ok(Math.abs(sum / count + 0.316) < 0.1, `mean ${sum / count}`);
    const root = Math.sqrt(squares / count);
    // The deviation of CIFAR-10's pixels is 0.247, these customary divisors are a fifth smaller.
    const inner = 0.247 / 0.2;
    assert.ok(
      Math.abs(root - Math.sqrt(0.866 * inner ** 2 + 0.134 * 2.36 ** 2)) < 0.1,
      `root mean square ${root}`,
    );
  });

  test('MNIST: four IDX.gz files', async (t) => {
    const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
    const paths = names.map((name) => `mnist/${name}-ubyte.gz`);
    const splits = { seed: 0, labelled: { perClass: [0, 100] } } as const;
    await withData(t, paths, {}, { splits, cacheBytes: 0 }, async (dataset) => {
      assert.deepEqual(dataset.columns[0]!.dims, [28, 28, 1]);
      assert.equal(dataset.rows, 70_000);
      assert.equal(dataset.splits.test.length, 10_000);
      // The first digits of both files are known: 5 0 4 1 9 and 7 2 1 0 4.
      assert.deepEqual([...dataset.labels.subarray(0, 5)], [5, 0, 4, 1, 9]);
      assert.deepEqual([...dataset.labels.subarray(60_000, 60_005)], [7, 2, 1, 0, 4]);
      const usable = dataset.splits.train.filter((row) => dataset.labelled[row] === 1);
      assert.ok(usable.length > 850 && usable.length <= 1000, `${usable.length} labelled rows in training`);
      const first = (await dataset.read('image', [0])).data as Uint8Array;
      // The mean of MNIST's first picture, a five: 107.99 over its inked pixels' sum of 27525.
      assert.equal(
        first.reduce((sum, x) => sum + x, 0),
        27_525,
      );
    });
  });

  test('iris: no header, label by number', async (t) => {
    await withData(
      t,
      ['tabular/misc/iris.csv'],
      { labelColumn: '4' },
      { splits: { seed: 0 } },
      async (dataset) => {
        assert.deepEqual(dataset.classes, ['Iris-setosa', 'Iris-versicolor', 'Iris-virginica']);
        assert.deepEqual([dataset.rows, dataset.splits.test.length], [150, 24]);
        assert.deepEqual(
          [...((await dataset.read('features', [0])).data as Float32Array)].map((x) => x.toFixed(1)),
          ['5.1', '3.5', '1.4', '0.2'],
        );
      },
    );
  });

  test('winequality: duplicates are told', async (t) => {
    const options = { label: 11 };
    await withData(t, ['tabular/misc/winequality-red.csv'], { options }, {}, (dataset) => {
      assert.equal(dataset.rows, 1599);
      assert.deepEqual(dataset.classes, ['3', '4', '5', '6', '7', '8']);
      // 240 rows repeat one before (features and quality), as is known of this set.
      assert.equal(dataset.card().duplicates.within.train, 240);
    });
  });

  test('adult: " ?" is missing, text is refused, test labels end in a dot', async (t) => {
    const paths = ['tabular/adult/adult-train.csv', 'tabular/adult/adult-test.csv'];
    const numeric = { label: 14, features: [0, 2, 4, 10, 11, 12] };
    const classes = { '<=50K': 0, '<=50K.': 0, '>50K': 1, '>50K.': 1 };
    await withData(t, paths, { options: numeric }, { classes }, (dataset) => {
      assert.deepEqual([dataset.splits.train.length, dataset.splits.test.length], [32_561, 16_281]);
      assert.deepEqual(dataset.classes, ['<=50K', '>50K']);
      const positive = dataset.splits.train.reduce((sum, row) => sum + dataset.labels[row]!, 0);
      assert.equal(positive, 7841);
      assert.equal(dataset.card().rejects.count, 0);
    });
    await withData(t, paths, { options: { ...numeric, features: [0, 1] }, maxRejects: 1 }, {}, () => {
      assert.fail('all rows hold text');
    }).catch((error) => {
      assert.equal(error.code, 'DATA_REJECTS');
      assert.match(error.hint, /^None is left: mend what the reasons name\./);
    });
  });
});
