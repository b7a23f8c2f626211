import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type IngestRequest, ingest } from '../../../src/data/ingest.ts';
import { defaultLimits } from '../../../src/data/upload.ts';
import {
  type Files,
  failsWith,
  gz,
  idxOf,
  MemoryFolder,
  memorySource,
  noCodec,
  npyOf,
  tarOf,
  zipOf,
} from '../../support/data-files.ts';

const read = (files: IngestRequest['files'], more: Partial<IngestRequest> = {}) =>
  ingest({ files, decoder: noCodec, folder: new MemoryFolder(), ...more });
const one = (bytes: Uint8Array, name = 'upload') => [memorySource(name, bytes)];

const npz: Files = [
  [
    'x.npy',
    npyOf(
      '<f4',
      [40, 25],
      Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i)),
    ),
  ],
  [
    'y.npy',
    npyOf(
      '<i4',
      [40],
      Int32Array.from({ length: 40 }, (_, i) => i % 2),
    ),
  ],
];
const unreadable = (message: RegExp) => failsWith('DATA_UNREADABLE', message);

/** A zip archive whose one entry is renamed in both headers: writers refuse such names. */
async function renamed(to: string): Promise<Uint8Array> {
  const name = 'a'.repeat(to.length);
  const bytes = Buffer.from(await zipOf([[name, 'x']]));
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) bytes.write(to, at, 'latin1');
  return new Uint8Array(bytes);
}

describe('hostile and damaged uploads', () => {
  test('paths that leave the archive', async () => {
    for (const path of ['../../etc/x.npy', '/etc/cron.npy', 'a/../../x.npy', 'C:/x.npy', '..\\..\\x.npy']) {
      await assert.rejects(read(one(await renamed(path))), unreadable(/./), `zip ${path}`);
      await assert.rejects(
        read(one(await tarOf([[path, 'x']]))),
        unreadable(/leaves the archive/),
        `tar ${path}`,
      );
    }
  });

  test('links are never followed', async () => {
    const tar = await tarOf(npz, ['x.npy2', 'class/1.png']);
    assert.equal((await read(one(tar))).rows, 40, 'a link beside the data does no harm');
    await assert.rejects(read(one(await tarOf([], ['x.npy']))), unreadable(/no known dataset format/));
  });

  test('bombs: ratio, entry size, entry count, total', async () => {
    const zeros: Files = [['x.npy', npyOf('|u1', [4, 2 ** 20], new Uint8Array(2 ** 22))]];
    const tight = { ...defaultLimits, ratio: 20, ratioFloor: 2 ** 20 };
    for (const upload of [await zipOf(zeros), gz(await tarOf(zeros)), gz(zeros[0]![1] as Uint8Array)]) {
      await assert.rejects(read(one(upload), { limits: tight }), unreadable(/bomb/));
    }
    const count = { ...defaultLimits, entries: 1 };
    const entry = { ...defaultLimits, entryBytes: 1000 };
    const total = { ...defaultLimits, totalBytes: 1000 };
    for (const upload of [await zipOf(npz), await tarOf(npz)]) {
      await assert.rejects(read(one(upload), { limits: count }), unreadable(/entries/));
      await assert.rejects(read(one(upload), { limits: entry }), unreadable(/1000 bytes/));
      await assert.rejects(read(one(upload), { limits: total }), unreadable(/1000 bytes/));
    }
  });

  test('a size that lies: an entry that unpacks to more than its directory says', async () => {
    const bytes = Buffer.from(await zipOf([['x.npy', npyOf('|u1', [4, 1000], new Uint8Array(4000))]]));
    const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1');
    bytes.writeUInt32LE(100, directory + 24);
    await assert.rejects(read(one(new Uint8Array(bytes))), unreadable(/./));
  });

  test('an encrypted zip', async () => {
    const bytes = Buffer.from(await zipOf(npz));
    for (
      let at = bytes.indexOf('PK\x01\x02', 0, 'latin1');
      at >= 0;
      at = bytes.indexOf('PK\x01\x02', at + 1, 'latin1')
    ) {
      bytes.writeUInt16LE(bytes.readUInt16LE(at + 8) | 1, at + 8);
    }
    await assert.rejects(read(one(new Uint8Array(bytes))), unreadable(/encrypted/));
  });

  test('cut anywhere: a typed error, or fewer rows never', async () => {
    const whole = { zip: await zipOf(npz), tar: await tarOf(npz), 'tar.gz': gz(await tarOf(npz)) };
    for (const [name, bytes] of Object.entries(whole)) {
      // The last blocks of a tar are padding: cut those and the content is still whole.
      const end = name === 'tar' ? bytes.length - 1024 : bytes.length - 1;
      for (let i = 0; i < 25; i++) {
        const cut = Math.floor((end * i) / 25);
        await assert.rejects(read(one(bytes.slice(0, cut))), unreadable(/./), `${name} cut at ${cut}`);
      }
    }
  });

  test('flipped bytes: the same rows or a typed error', async () => {
    for (const bytes of [await zipOf(npz), gz(await tarOf(npz))]) {
      // Anywhere, and each byte of the end, where zip has its directory.
      const places = Array.from({ length: 60 }, (_, i) => (i * 7919) % bytes.length);
      for (let at = bytes.length - 150; at < bytes.length; at++) places.push(at);
      for (const [i, at] of places.entries()) {
        const bad = bytes.slice();
        bad[at]! ^= 1 << (i % 8);
        try {
          assert.equal((await read(one(bad))).rows, 40);
        } catch (error) {
          assert.match((error as { code: string }).code, /^(DATA_|SPEC_INVALID)/, String(error));
        }
      }
    }
  });
});

describe('damaged files', () => {
  const images = idxOf([3, 2, 2], new Uint8Array(12));
  const idx = (imageBytes: Uint8Array, labels: Uint8Array) =>
    read([memorySource('a-images', imageBytes), memorySource('a-labels', labels)]);

  test('idx: cut, too long, counts that differ, labels alone', async () => {
    const labels = idxOf([3], new Uint8Array([0, 1, 2]));
    assert.equal((await idx(images, labels)).rows, 3);
    await assert.rejects(idx(images.slice(0, -1), labels), unreadable(/2 of 3 records/));
    await assert.rejects(idx(new Uint8Array([...images, 0]), labels), unreadable(/after its last record/));
    await assert.rejects(idx(images, idxOf([4], new Uint8Array(4))), unreadable(/4 labels/));
    await assert.rejects(read(one(labels)), unreadable(/no IDX images/));
  });

  test('npy: objects, Fortran order, no such array, rows that differ', async () => {
    const x = npyOf('<f8', [2, 3], new Float64Array([1, 2, 3, 4, 5, 6]));
    const files = (more: Files, options = {}) =>
      read(
        more.map(([name, bytes]) => memorySource(name, bytes as Uint8Array)),
        { options },
      );
    await assert.rejects(files([['x.npy', npyOf('|O', [2], new Uint8Array(16))]]), unreadable(/type O/));
    await assert.rejects(
      files([['x.npy', npyOf('<f8', [2, 3], new Float64Array(6), true)]]),
      unreadable(/Fortran/),
    );
    await assert.rejects(files([['x.npy', x]], { x: ['z'] }), unreadable(/no array z; it holds x/));
    await assert.rejects(
      files([
        ['x.npy', x],
        ['y.npy', npyOf('<i8', [3], new BigInt64Array(3))],
      ]),
      unreadable(/3 rows/),
    );
    await assert.rejects(
      files([
        ['x.npy', x],
        ['y.npy', npyOf('<f8', [2], new Float64Array(2))],
      ]),
      unreadable(/labels/),
    );
  });

  test('csv: rows that do not fit are rejected with their reason, blank ones skipped', async () => {
    const text = 'a,b,label\n1,2,x\n1, ?,x\n1,zwei,y\n\n1,2,3,y\n 3 ,4,\n"5",6e1,y\n';
    const table = one(new TextEncoder().encode(text));
    const index = await read(table, { maxRejects: 0.6 });
    assert.equal(index.rows, 3);
    assert.deepEqual(index.rejects.byReason, {
      'column b is missing': 1,
      'column b holds text, not a number': 1,
      'has 4 cells where the table has 3 columns': 1,
    });
    assert.equal((await read(table, { maxRejects: 0.6, options: { fill: 0 } })).rows, 4);
    await assert.rejects(read(table), (error: { code: string; problems: string[]; facts: object }) => {
      assert.equal(error.code, 'DATA_REJECTS');
      assert.deepEqual(error.facts, { rejected: 3, records: 6, limit: 0.01 });
      assert.ok(error.problems.includes('upload#3: column b is missing'));
      return true;
    });
  });

  test('where no record is left, the hint is not to allow even more rejects', async () => {
    const table = one(new TextEncoder().encode('a,label\nx,1\ny,2\n'));
    await assert.rejects(read(table), (error: { code: string; hint: string }) => {
      assert.equal(error.code, 'DATA_REJECTS');
      assert.doesNotMatch(error.hint, /maxRejects/);
      assert.match(error.hint, /mend what the reasons name.*CSV and TSV tables/);
      return true;
    });
    // Nor is it an empty file where every reject would be allowed.
    await assert.rejects(read(table, { maxRejects: 1 }), { code: 'DATA_REJECTS' });
  });

  test('csv: documents are no tables, and broken quotes are named with their line', async () => {
    const document = '# Model\n\n| label | a |\n|:---|---:|\n| x | 1 |\n| y | 2 |\n| x | 3 |\n';
    await assert.rejects(
      read(one(new TextEncoder().encode(document))),
      unreadable(/no known dataset format in 1 file/),
    );
    const quotes = 'a,label\n1,x\n2,y\n3,"x" or y\n';
    await assert.rejects(read(one(new TextEncoder().encode(quotes))), unreadable(/is no table: .*line 4/));
  });

  test('csv: label and features must be columns', async () => {
    const table = one(new TextEncoder().encode('a,b,c\n1,2,x\n3,4,y\n'));
    await assert.rejects(read(table), unreadable(/no column named label \(columns: a, b, c\)/));
    await assert.rejects(
      read(table, { labelColumn: 'd' }),
      unreadable(/no column d; its columns are a, b, c/),
    );
    await assert.rejects(
      read(table, { labelColumn: 'c', options: { features: ['a', 'c'] } }),
      unreadable(/both/),
    );
    const index = await read(table, { labelColumn: 'c', options: { features: ['b'] } });
    assert.deepEqual(index.columns[0]!.dims, [1]);
    assert.deepEqual(index.classes, ['x', 'y']);
  });
});
