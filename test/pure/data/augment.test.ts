import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../../src/core/random.ts';
import { type Affine, aboutCentre, compose, isGrid } from '../../../src/data/affine.ts';
import { augmentations } from '../../../src/data/augment/index.ts';
import { mixWeight, partnersOf, planAugment, transformOf } from '../../../src/data/augment/pipeline.ts';
import { inFrame } from '../../../src/data/in-frame.ts';
import { planInput } from '../../../src/data/preprocess.ts';
import { PictureWriter } from '../../../src/data/sample-picture.ts';
import { failsWith } from '../../support/data-files.ts';

const height = 5;
const width = 7;
const picture = (channels: number) =>
  Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37 + 11) % 256);
const column = (channels: number) =>
  ({ name: 'image', kind: 'image', dtype: 'uint8', dims: [height, width, channels] }) as const;

/** The slow obvious version: every output pixel by its definition, one at a time. */
function reference(raw: Uint8Array, channels: number, map: Affine, x: number, y: number, c: number): number {
  const at = (px: number, py: number): number =>
    px < 0 || py < 0 || px >= width || py >= height ? 0 : raw[(py * width + px) * channels + c]!;
  const sx = map[0] * x + map[1] * y + map[2];
  const sy = map[3] * x + map[4] * y + map[5];
  let sum = 0;
  for (const py of [Math.floor(sy), Math.floor(sy) + 1]) {
    for (const px of [Math.floor(sx), Math.floor(sx) + 1]) {
      sum += Math.max(0, 1 - Math.abs(sx - px)) * Math.max(0, 1 - Math.abs(sy - py)) * at(px, py);
    }
  }
  return sum;
}

const maps: Readonly<Record<string, Affine>> = {
  identity: [1, 0, 0, 0, 1, 0],
  mirrored: [-1, 0, width - 1, 0, 1, 0],
  'upside down': [1, 0, 0, 0, -1, height - 1],
  shifted: [1, 0, 2, 0, 1, -3],
  'shifted and mirrored': [-1, 0, width + 1, 0, 1, 2],
  'out of sight': [1, 0, 40, 0, 1, 0],
  'out of sight, mirrored': [-1, 0, -3, 0, -1, -4],
  'half a pixel': [1, 0, 0.5, 0, 1, -0.25],
  turned: [0.8, -0.6, 1.5, 0.6, 0.8, -1],
  'zoomed and sheared': [1.3, 0.2, -1, -0.1, 0.6, 0.7],
};

describe('pictures through an affine map', () => {
  for (const [name, map] of Object.entries(maps)) {
    test(`${name}: as by definition, in every layout and colour`, () => {
      for (const channels of [1, 3]) {
        const raw = picture(channels);
        const mean = channels === 3 ? [0.4, 0.5, 0.6] : [0.4];
        const std = channels === 3 ? [0.2, 0.3, 0.25] : [0.2];
        for (const layout of ['NCHW', 'NHWC'] as const) {
          for (const colour of channels === 3 ? (['RGB', 'BGR'] as const) : (['grey'] as const)) {
            const plan = planInput('x', { layout, colour, scale: 1 / 255, mean, std }, column(channels));
            const out = new Float32Array(raw.length + 2).fill(7);
            const shifted = new Uint8Array([9, ...raw]);
            new PictureWriter(plan).write(shifted, 1, map, out, 1);
            for (let y = 0; y < height; y++) {
              for (let x = 0; x < width; x++) {
                for (let c = 0; c < channels; c++) {
                  const source = colour === 'BGR' ? channels - 1 - c : c;
                  const value = reference(raw, channels, map, x, y, source);
                  const expected = (value / 255 - mean[c]!) / std[c]!;
                  const at =
                    layout === 'NCHW' ? (c * height + y) * width + x : (y * width + x) * channels + c;
                  const got = out[1 + at]!;
                  assert.ok(
                    Math.abs(got - expected) < 1e-5,
                    `${layout} ${colour} ${x},${y},${c}: ${got} ${expected}`,
                  );
                }
              }
            }
            assert.deepEqual([out[0], out.at(-1)], [7, 7], 'nothing is written outside');
          }
        }
      }
    });
  }

  test('composition is one map after the other', () => {
    const both = compose(maps.turned!, maps['zoomed and sheared']!);
    const through = (map: Affine, x: number, y: number): [number, number] => [
      map[0] * x + map[1] * y + map[2],
      map[3] * x + map[4] * y + map[5],
    ];
    const expected = through(maps.turned!, ...through(maps['zoomed and sheared']!, 3, 2));
    for (const [i, value] of through(both, 3, 2).entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-12);
  });
});

describe('augmentations', () => {
  const defaults = Object.keys(augmentations)
    .filter((name) => name !== 'mixup')
    .map((name) => ({ name, options: {} }));

  test('decided by seed, epoch and row alone', () => {
    const plan = planAugment(defaults);
    const once = transformOf(plan, 3, 5, 17, height, width);
    assert.deepEqual(transformOf(plan, 3, 5, 17, height, width), once);
    for (const [seed, epoch, row] of [
      [4, 5, 17],
      [3, 6, 17],
      [3, 5, 18],
    ] as const) {
      assert.notDeepEqual(transformOf(plan, seed, epoch, row, height, width), once);
    }
  });

  test('one augmentation does not change the draws of another', () => {
    const flip = { name: 'flip', options: {} };
    const alone = transformOf(planAugment([flip]), 1, 0, 4, height, width);
    const shifted = transformOf(
      planAugment([{ name: 'crop', options: { padding: 2 } }, flip]),
      1,
      0,
      4,
      height,
      width,
    );
    assert.equal(shifted[0], alone[0]);
  });

  test('crop and flip stay on the grid and reach every place', () => {
    const plan = planAugment([
      { name: 'crop', options: { padding: 1 } },
      { name: 'flip', options: { vertical: 0.5 } },
    ]);
    const seen = new Set<string>();
    for (let row = 0; row < 2000; row++) {
      const map = transformOf(plan, 0, 0, row, height, width);
      assert.ok(isGrid(map));
      seen.add(String(map));
    }
    assert.equal(seen.size, 3 * 3 * 2 * 2);
  });

  test('geometric ones keep to their limits', () => {
    for (let row = 0; row < 500; row++) {
      const random = () => new Random(0, 'limits', row);
      const { rotate, scale, translate } = augmentations;
      const [cos] = rotate.transform(random(), { degrees: 30 }, 10, 10);
      assert.ok(cos >= Math.cos(Math.PI / 6) - 1e-12);
      const [zoom] = scale.transform(random(), { min: 0.5, max: 2 }, 10, 10);
      assert.ok(zoom >= 0.5 - 1e-12 && zoom <= 2 + 1e-12);
      const [, , dx, , , dy] = translate.transform(random(), { share: 0.2 }, 10, 20);
      assert.ok(Math.abs(dx) <= 4 && Math.abs(dy) <= 2);
    }
    // The centre of a picture does not move when it is turned.
    const map = augmentations.rotate.transform(new Random(0, 'x'), { degrees: 90 }, 9, 9);
    assert.ok(Math.abs(map[0] * 4 + map[1] * 4 + map[2] - 4) < 1e-12);
  });

  test('mixup draws from Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1))', () => {
    for (const alpha of [0.1, 0.4, 1, 4]) {
      const plan = planAugment([{ name: 'mixup', options: { alpha } }]);
      const draws = Array.from({ length: 20_000 }, (_, row) => mixWeight(plan, 0, 0, row));
      const mean = draws.reduce((a, b) => a + b) / draws.length;
      const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
      const expected = 1 / (4 * (2 * alpha + 1));
      assert.ok(draws.every((x) => x >= 0 && x <= 1));
      assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(expected / draws.length), `mean ${mean}`);
      assert.ok(Math.abs(variance / expected - 1) < 0.04, `variance ${variance} ${expected}`);
    }
  });

  test('mixup partners are a permutation, another each epoch', () => {
    const rows = Uint32Array.from([3, 4, 7, 9, 12, 20]);
    const partners = partnersOf(rows, 0, 0);
    assert.deepEqual(
      [...rows].map((row) => partners[row]).sort((a, b) => a! - b!),
      [...rows],
    );
    assert.notDeepEqual(partnersOf(rows, 0, 1), partners);
  });

  test('wrong entries are refused', () => {
    const flip = { name: 'flip', options: {} };
    assert.throws(() => planAugment([{ name: 'blur', options: {} }]), failsWith('SPEC_INVALID', /blur/));
    assert.throws(() => planAugment([flip, flip]), failsWith('SPEC_INVALID', /repeat/));
    assert.throws(
      () => planAugment([{ name: 'flip', options: { horizontal: 2 } }]),
      failsWith('SPEC_INVALID'),
    );
  });
});

test('a map drawn for one size does the same to the picture at another', () => {
  const near = (actual: Affine, expected: readonly number[]) =>
    actual.forEach((value, i) => void assert.ok(Math.abs(value - expected[i]!) < 1e-9, `${actual}`));
  assert.deepEqual(inFrame([1, 0, 3, 0, 1, 0], [8, 8], [8, 8]), [1, 0, 3, 0, 1, 0]);
  near(inFrame([1, 0, 1, 0, 1, -2], [8, 8], [24, 16]), [1, 0, 2, 0, 1, -6]);
  near(inFrame([-1, 0, 7, 0, 1, 0], [8, 8], [12, 20]), [-1, 0, 19, 0, 1, 0]);
  near(inFrame(aboutCentre(8, 8, [0, -1, 1, 0]), [8, 8], [32, 32]), aboutCentre(32, 32, [0, -1, 1, 0]));
  // A quarter turn of a square that is shown twice as wide.
  near(inFrame(aboutCentre(8, 8, [0, -1, 1, 0]), [8, 8], [8, 16]), aboutCentre(8, 16, [0, -2, 0.5, 0]));
});
