import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { sharpDecoder } from '../../src/adapters/images/sharp-decoder.ts';
import type { Source } from '../../src/data/format.ts';
import { formats } from '../../src/data/formats/index.ts';
import { type IngestRequest, ingest } from '../../src/data/ingest.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import {
  type Files,
  gz,
  idxOf,
  MemoryFolder,
  memorySource,
  npyOf,
  tarOf,
  zipOf,
} from '../support/data-files.ts';

/**
 * The same ten rows in every format give the same dataset. Row i is a 4x6 grey picture, or a vector of 5 numbers; its
 * class is i mod 3; rows 0-6 are training rows, 7-9 test rows.
 */
const count = 10;
const labels = Array.from({ length: count }, (_, i) => i % 3);
const pixels = (i: number): Uint8Array => Uint8Array.from({ length: 24 }, (_, k) => (i * 41 + k * 13) % 256);
const vector = (i: number): number[] => Array.from({ length: 5 }, (_, k) => i / 8 - k * 1.5);
const isTest = (i: number): boolean => i >= 7;
const all = Array.from({ length: count }, (_, i) => i);
const train = all.filter((i) => !isTest(i));
const held = all.filter(isTest);

const allPixels = (rows: readonly number[]): Uint8Array =>
  Uint8Array.from(rows.flatMap((i) => [...pixels(i)]));
const allVectors = (rows: readonly number[]): Float32Array => Float32Array.from(rows.flatMap(vector));
const labelBytes = (rows: readonly number[]): Uint8Array => Uint8Array.from(rows, (i) => labels[i]!);
const longs = (rows: readonly number[]): BigInt64Array => BigInt64Array.from(rows, (i) => BigInt(labels[i]!));

async function folder(): Promise<Files> {
  const files: [string, Uint8Array | string][] = [['set/README.md', 'ten pictures, made, by, hand']];
  for (const i of all) {
    const png = await sharp(pixels(i), { raw: { width: 6, height: 4, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    files.push([`set/${isTest(i) ? 'test' : 'train'}/${labels[i]}/${i}.jpg`, new Uint8Array(png)]);
  }
  return files;
}

const idxFiles = (): Files => [
  ['train-images-idx3-ubyte', idxOf([7, 4, 6], allPixels(train))],
  ['train-labels-idx1-ubyte', idxOf([7], labelBytes(train))],
  ['t10k-images-idx3-ubyte', idxOf([3, 4, 6], allPixels(held))],
  ['t10k-labels-idx1-ubyte', idxOf([3], labelBytes(held))],
];

const npyFiles = (picture: boolean): Files =>
  [train, held].flatMap((rows, test): [string, Uint8Array][] => {
    const end = test ? 'test' : 'train';
    const x = picture
      ? npyOf('|u1', [rows.length, 4, 6], allPixels(rows))
      : npyOf('<f4', [rows.length, 5], allVectors(rows));
    return [
      [`x_${end}.npy`, x],
      [`y_${end}.npy`, npyOf('<i8', [rows.length], longs(rows))],
    ];
  });

function tables(delimiter: string, end: string, header: boolean): Files {
  const lines = (rows: readonly number[]) => rows.map((i) => [...vector(i), labels[i]].join(delimiter));
  const head = header ? [['a', 'b', 'c', 'd', 'e', 'label'].join(delimiter)] : [];
  return [
    [`t-train.${end}`, [...head, ...lines(train)].join('\n')],
    [`t-test.${end}`, `${[...head, ...lines(held)].join('\r\n')}\r\n\r\n`],
  ];
}

const sources = (files: Files): Source[] =>
  files.map(([path, content]) => memorySource(path, new Uint8Array(Buffer.from(content as string))));
const one = (name: string, bytes: Uint8Array): Source[] => [memorySource(name, bytes)];
const zipped = async (files: Files): Promise<Source[]> => one('upload', await zipOf(files));

interface Case {
  readonly format: keyof typeof formats;
  readonly kind: 'pictures' | 'table';
  readonly options?: Record<string, unknown>;
  make(): Promise<Source[]>;
}

/** Every upload is called something that says nothing or lies: only bytes decide. */
const cases: Readonly<Record<string, Case>> = {
  'pictures in zip': { format: 'image-folder', kind: 'pictures', make: async () => zipped(await folder()) },
  'pictures in a stored zip': {
    format: 'image-folder',
    kind: 'pictures',
    make: async () => one('x.csv', await zipOf(await folder(), false)),
  },
  'pictures in tar': {
    format: 'image-folder',
    kind: 'pictures',
    make: async () => one('x.zip', await tarOf((await folder()).toReversed())),
  },
  'pictures in tar.gz': {
    format: 'image-folder',
    kind: 'pictures',
    make: async () => one('x', gz(await tarOf(await folder()))),
  },
  'idx files': { format: 'idx', kind: 'pictures', make: async () => sources(idxFiles()) },
  'idx.gz files': {
    format: 'idx',
    kind: 'pictures',
    make: async () => idxFiles().map(([name, bytes]) => memorySource(`${name}.gz`, gz(bytes as Uint8Array))),
  },
  'idx in zip': { format: 'idx', kind: 'pictures', make: () => zipped(idxFiles()) },
  'idx in tar': { format: 'idx', kind: 'pictures', make: async () => one('x', await tarOf(idxFiles())) },
  'npz pictures': { format: 'npy', kind: 'pictures', make: () => zipped(npyFiles(true)) },
  'npz table': { format: 'npy', kind: 'table', make: () => zipped(npyFiles(false)) },
  'npy files': { format: 'npy', kind: 'table', make: async () => sources(npyFiles(false)) },
  csv: { format: 'csv', kind: 'table', make: async () => sources(tables(',', 'csv', true)) },
  'csv without header': {
    format: 'csv',
    kind: 'table',
    options: { label: 5 },
    make: async () => sources(tables(';', 'csv', false)),
  },
  'tsv in zip': { format: 'csv', kind: 'table', make: () => zipped(tables('\t', 'tsv', true)) },
};

async function read(request: Pick<IngestRequest, 'files'> & Partial<IngestRequest>) {
  const store = new MemoryFolder();
  const index = await ingest({ decoder: sharpDecoder(), folder: store, ...request });
  const dataset = await openDataset(store);
  assert.equal(dataset.columns.length, 1);
  const everything = await dataset.read(
    dataset.columns[0]!.name,
    Array.from({ length: dataset.rows }, (_, i) => i),
  );
  return { index, dataset, everything };
}

describe('dataset formats', () => {
  test('every format has a case', () => {
    assert.deepEqual(
      [...new Set(Object.values(cases).map(({ format }) => format))].sort(),
      Object.keys(formats).sort(),
    );
  });

  for (const [name, { format, kind, options, make }] of Object.entries(cases)) {
    test(`${name}: the same ten rows`, async () => {
      const { index, dataset, everything } = await read({ files: await make(), ...(options && { options }) });
      assert.equal(index.format, format, 'sniffed');
      assert.equal(dataset.rows, count);
      assert.deepEqual(dataset.classes, ['0', '1', '2']);
      assert.equal(index.rejects.count, 0);
      // Folders order rows by path (test before train, then class), files by their own order.
      const rows =
        format === 'image-folder'
          ? [...held, ...train].sort(
              (a, b) => Number(isTest(b)) - Number(isTest(a)) || labels[a]! - labels[b]! || a - b,
            )
          : all;
      assert.deepEqual(
        [...dataset.labels],
        rows.map((i) => labels[i]!),
      );
      assert.deepEqual(
        [...dataset.splits.test],
        [...rows.keys()].filter((row) => isTest(rows[row]!)),
      );
      assert.deepEqual(
        [...dataset.splits.train],
        [...rows.keys()].filter((row) => !isTest(rows[row]!)),
      );
      if (kind === 'pictures') {
        assert.deepEqual(everything.dims, [count, 4, 6, 1]);
        assert.deepEqual(everything.data, allPixels(rows));
      } else {
        assert.deepEqual(everything.dims, [count, 5]);
        assert.deepEqual(everything.data, allVectors(rows));
      }
    });
  }

  test('the result does not depend on how many records are decoded at once', async () => {
    const files = await zipped(await folder());
    const folders = [new MemoryFolder(), new MemoryFolder()];
    for (const [i, concurrency] of [1, 7].entries()) {
      await ingest({ files, folder: folders[i]!, decoder: sharpDecoder(), concurrency });
    }
    assert.deepEqual([...folders[0]!.files], [...folders[1]!.files]);
  });

  test('rows read by position are those read from memory', async () => {
    const store = new MemoryFolder();
    // A tar in reverse: records lie in another order than rows.
    const files = one('x', await tarOf((await folder()).toReversed()));
    await ingest({ files, folder: store, decoder: sharpDecoder() });
    const [cached, uncached] = [await openDataset(store), await openDataset(store, { cacheBytes: 0 })];
    const rows = [9, 0, 1, 2, 5, 5, 4];
    assert.deepEqual(await uncached.read('image', rows), await cached.read('image', rows));
    await assert.rejects(cached.read('pixels', rows), { code: 'DATA_MISMATCH' });
  });

  test('documents before the pictures do not hide them', async () => {
    const notes = Array.from({ length: 200 }, (_, i): [string, string] => [`a/${i}.xml`, '<a>\n<b/>\n</a>']);
    const { index } = await read({ files: await zipped([...notes, ...(await folder())]) });
    assert.deepEqual([index.format, index.rows], ['image-folder', count]);
  });

  test('declared formats and options are checked', async () => {
    const files = sources(tables(',', 'csv', true));
    await assert.rejects(read({ files, format: 'parquet' }), { code: 'SPEC_INVALID' });
    await assert.rejects(read({ files, options: { lable: 'x' } }), { code: 'SPEC_INVALID' });
    await assert.rejects(read({ files: await zipped(await folder()), labelColumn: 'x' }), {
      code: 'SPEC_INVALID',
    });
    await assert.rejects(read({ files: one('x.png', new Uint8Array(600)) }), { code: 'DATA_UNREADABLE' });
    await assert.rejects(read({ files: one('empty.zip', new Uint8Array(0)) }), { code: 'DATA_UNREADABLE' });
  });
});
