import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { sharpDecoder } from '../../../src/adapters/images/sharp-decoder.ts';
import type { NDArray } from '../../../src/core/ndarray.ts';
import { ingest } from '../../../src/data/ingest.ts';
import { openDataset } from '../../../src/data/open-dataset.ts';
import type { PictureWish } from '../../../src/data/picture.ts';
import { type Files, MemoryFolder, memorySource, zipOf } from '../../support/data-files.ts';

const width = 16;
const height = 8;
/** Left half red, right half blue; large areas, so that lossy codecs keep them. */
const flag = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
  const isLeft = Math.floor(i / 3) % width < width / 2;
  return [isLeft ? 250 : 5, 20, isLeft ? 5 : 250][i % 3]!;
});
const make = () => sharp(flag, { raw: { width, height, channels: 3 } });
const decoder = sharpDecoder();

async function decode(encoded: Uint8Array, wish: PictureWish = {}): Promise<NDArray> {
  const result = await decoder.decode({ encoded }, wish);
  assert.ok(!('reason' in result), JSON.stringify(result));
  return result;
}
const near = (a: NDArray, b: Uint8Array, tolerance: number): void => {
  const data = a.data as Uint8Array;
  assert.equal(data.length, b.length);
  for (const [i, value] of data.entries()) {
    assert.ok(Math.abs(value - b[i]!) <= tolerance, `at ${i}: ${value} ${b[i]}`);
  }
};

describe('decoding pictures', () => {
  const kinds: Readonly<Record<string, [() => Promise<Buffer>, number]>> = {
    PNG: [() => make().png().toBuffer(), 0],
    'PNG of 16 bits': [() => make().toColourspace('rgb16').png().toBuffer(), 1],
    'PNG with alpha': [() => make().ensureAlpha(0.3).png().toBuffer(), 0],
    'WebP lossless': [() => make().webp({ lossless: true }).toBuffer(), 0],
    WebP: [() => make().webp({ quality: 95 }).toBuffer(), 40],
    JPEG: [() => make().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(), 12],
    'JPEG in CMYK': [() => make().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(), 115],
    GIF: [() => make().gif().toBuffer(), 8],
    TIFF: [() => make().tiff({ compression: 'none' }).toBuffer(), 0],
  };
  for (const [name, [encode, tolerance]] of Object.entries(kinds)) {
    test(`${name}`, async () => {
      const picture = await decode(await encode());
      assert.deepEqual(picture.dims, [height, width, 3]);
      // Lossy codecs smear the edge in the middle: look at both ends.
      if (tolerance <= 1) near(picture, flag, tolerance);
      const ends = (data: ArrayLike<number>) => [0, 1, 2, 381, 382, 383].map((i) => data[i]!);
      near(
        { ...picture, data: Uint8Array.from(ends(picture.data as Uint8Array)) },
        Uint8Array.from(ends(flag)),
        tolerance,
      );
    });
  }

  test('upright by EXIF', async () => {
    const turned = await make()
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const picture = await decode(turned);
    assert.deepEqual(picture.dims, [width, height, 3]);
    // Orientation 6 is shown turned clockwise: the red left half comes to lie on top.
    const data = picture.data as Uint8Array;
    assert.ok(data[0]! > 200 && data.at(-1)! > 200 && data.at(-3)! < 50);
  });

  test('grey by luma, from colour and from grey', async () => {
    const grey = await decode(await make().png().toBuffer(), { colour: 'grey' });
    assert.deepEqual(grey.dims, [height, width, 1]);
    // 0.299 R + 0.587 G + 0.114 B
    assert.deepEqual([grey.data[0], grey.data.at(-1)], [87, 42]);
    const ramp = Uint8Array.from({ length: 64 }, (_, i) => i * 4);
    const png = await sharp(ramp, { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    assert.deepEqual((await decode(png)).dims, [8, 8, 1]);
    near(await decode(png, { colour: 'grey' }), ramp, 0);
    const rgb = await decode(png, { colour: 'RGB' });
    assert.deepEqual(rgb.dims, [8, 8, 3]);
    near(
      rgb,
      Uint8Array.from({ length: 192 }, (_, i) => ramp[Math.floor(i / 3)]!),
      0,
    );
  });

  test('resized to the wished size, decoded pixels too', async () => {
    const png = await make().png().toBuffer();
    for (const picture of [{ encoded: png }, await decode(png)]) {
      for (const colour of ['RGB', 'grey'] as const) {
        const small = await decoder.decode(picture, { size: [4, 6], colour });
        assert.ok(!('reason' in small));
        assert.deepEqual(small.dims, [4, 6, colour === 'RGB' ? 3 : 1]);
        assert.ok(Math.abs((small.data[0] as number) - (colour === 'RGB' ? 250 : 87)) <= 3);
      }
    }
  });

  test('what cannot be decoded has a reason', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
    const raw = { width: 64, height: 64, channels: 3 } as const;
    const jpeg = await sharp(noise, { raw }).jpeg().toBuffer();
    const png = await sharp(noise, { raw }).png().toBuffer();
    const reason = async (encoded: Uint8Array, using = decoder) => {
      const result = await using.decode({ encoded }, { size: [8, 8] });
      assert.ok('reason' in result, 'decoded');
      return result.reason;
    };
    assert.match(await reason(jpeg.subarray(0, jpeg.length / 2)), /cut short|damaged/);
    assert.match(await reason(png.subarray(0, png.length / 2)), /cut short|damaged/);
    assert.match(await reason(jpeg, sharpDecoder({ maxPixels: 1000 })), /more than 1000 pixels/);
    assert.match(await reason(Buffer.from('BM no picture at all')), /unsupported kind/);
    assert.match(await reason(new Uint8Array(0)), /damaged|unsupported/);
  });
});

describe('folders of pictures', () => {
  const read = async (files: Files, maxRejects = 0) => {
    const folder = new MemoryFolder();
    const upload = [memorySource('upload', await zipOf(files))];
    await ingest({ files: upload, folder, decoder, maxRejects });
    return openDataset(folder);
  };
  const picture = async (shade: number): Promise<Uint8Array> =>
    new Uint8Array(
      await sharp(new Uint8Array(12).fill(shade), { raw: { width: 2, height: 2, channels: 3 } })
        .png()
        .toBuffer(),
    );

  test('wrapper, splits under any of their names, unlabelled rows, documents and litter', async () => {
    const set = await read([
      ['data/README.md', 'about'],
      ['data/LICENSE', 'free'],
      ['data/.DS_Store', 'x'],
      ['__MACOSX/data/train/cat/._1.png', 'x'],
      ['data/Train/cat/1.png', await picture(1)],
      ['data/Train/dog/deeper/1.png', await picture(2)],
      ['data/Train/unlabelled/1.png', await picture(3)],
      ['data/valid/cat/1.png', await picture(4)],
      ['data/test/dog/1.png', await picture(5)],
      ['data/unlabeled/2.png', await picture(6)],
    ]);
    assert.deepEqual(set.classes, ['cat', 'dog']);
    const first = (await set.read('image', [0, 1, 2, 3, 4, 5])).data as Uint8Array;
    const shades = [0, 1, 2, 3, 4, 5].map((row) => first[row * 12]);
    assert.deepEqual(shades, [1, 2, 3, 5, 6, 4], 'rows by path');
    assert.deepEqual([...set.labels], [0, 1, -1, 1, -1, 0]);
    assert.deepEqual([...set.splits.train], [0, 1, 2, 4]);
    assert.deepEqual([...set.splits.validation], [5]);
    assert.deepEqual([...set.splits.test], [3]);
    assert.deepEqual([...set.labelled], [1, 1, 0, 1, 0, 1]);
    const card = set.card();
    assert.equal(card.unlabelled, 2);
    assert.deepEqual(card.splits.train, { rows: 4, unlabelled: 2 });
  });

  test('class folders alone; what is no picture or lies nowhere is rejected with its reason', async () => {
    const png = await picture(1);
    const set = await read(
      [
        ['cat/1.png', png],
        ['cat/2.txt', 'a note'],
        ['dog/1.png', await picture(2)],
        ['dog/2.png', 'no picture'],
        ['dog/3.png', png.subarray(0, 50)],
        ['dog/4.png', ''],
        ['loose.png', png],
      ],
      0.7,
    );
    assert.deepEqual(set.classes, ['cat', 'dog']);
    const { rejects } = set.card();
    assert.equal(rejects.count, 4);
    const listed = Object.fromEntries(rejects.listed.map(({ source, reason }) => [source, reason]));
    assert.deepEqual(Object.keys(listed).sort(), ['dog/2.png', 'dog/3.png', 'dog/4.png', 'loose.png']);
    assert.equal(listed['dog/2.png'], 'not a picture');
    assert.equal(listed['dog/4.png'], 'empty file');
    assert.equal(listed['loose.png'], 'not in a class directory');
  });

  test('the card counts duplicates within and across splits', async () => {
    const [a, b] = [await picture(1), await picture(2)];
    const set = await read([
      ['train/cat/1.png', a],
      ['train/cat/2.png', a],
      ['train/dog/1.png', b],
      ['test/cat/1.png', b],
      ['test/dog/1.png', await picture(3)],
    ]);
    const { duplicates, balance, classes } = set.card();
    assert.deepEqual(duplicates.within, { train: 1, validation: 0, test: 0 });
    assert.equal(duplicates.across, 1);
    assert.equal(duplicates.conflicting, 1, 'b is a dog in training and a cat in test');
    assert.deepEqual(balance, { smallest: 2, largest: 3, majority: 0.6 });
    assert.deepEqual(classes[0], { name: 'cat', counts: { train: 2, validation: 0, test: 1 } });
  });

  test('class names map to the indexes of the teacher', async () => {
    const folder = new MemoryFolder();
    const upload = [
      memorySource(
        'upload',
        await zipOf([
          ['cat/1.png', await picture(1)],
          ['dog/1.png', await picture(2)],
        ]),
      ),
    ];
    await ingest({ files: upload, folder, decoder });
    const set = await openDataset(folder, { classes: { dog: 0, puppy: 0, cat: 2 } });
    assert.deepEqual(set.classes, ['dog', '1', 'cat']);
    assert.deepEqual([...set.labels], [2, 0]);
    await assert.rejects(openDataset(folder, { classes: { cat: 0 } }), { code: 'DATA_MISMATCH' });
  });
});
