import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/core/random.ts';
import { gradientsOf } from '../support/gradients-of.ts';

// After ReLU whole windows tie at zero. The slow obvious version: walk each window in row-major order, keep the first largest.

interface Pooling {
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly output: readonly [number, number];
}

function reference(x: readonly number[], dy: readonly number[], p: Pooling): number[] {
  const dx = x.map(() => 0);
  const [height, width] = p.size;
  for (let plane = 0; plane < x.length / (height * width); plane++) {
    for (let oy = 0; oy < p.output[0]; oy++) {
      for (let ox = 0; ox < p.output[1]; ox++) {
        let best = -1;
        for (let ky = 0; ky < p.kernel[0]; ky++) {
          for (let kx = 0; kx < p.kernel[1]; kx++) {
            const y = oy * p.strides[0] + ky * p.dilations[0] - p.pads[0];
            const z = ox * p.strides[1] + kx * p.dilations[1] - p.pads[1];
            if (y < 0 || y >= height || z < 0 || z >= width) continue;
            const at = (plane * height + y) * width + z;
            if (best < 0 || x[at]! > x[best]!) best = at;
          }
        }
        dx[best]! += dy[(plane * p.output[0] + oy) * p.output[1] + ox]!;
      }
    }
  }
  return dx;
}

const plain = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
const cases: Readonly<Record<string, Pooling & { readonly ceil?: number }>> = {
  'apart, 2x2': { ...plain, size: [4, 6], kernel: [2, 2], strides: [2, 2], output: [2, 3] },
  overlapping: { ...plain, size: [5, 6], kernel: [3, 2], output: [3, 5] },
  'overlapping, padded': {
    ...plain,
    size: [6, 6],
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output: [3, 3],
  },
  'asymmetric pads, ceil': {
    ...plain,
    size: [6, 5],
    kernel: [3, 2],
    strides: [2, 2],
    pads: [1, 0, 0, 1],
    output: [3, 3],
    ceil: 1,
  },
  dilated: { ...plain, size: [6, 7], kernel: [2, 2], dilations: [2, 3], output: [4, 4] },
};

for (const [name, pooling] of Object.entries(cases)) {
  test(`the first winner of every window takes the gradient: ${name}`, async () => {
    const random = new Random(1, name);
    const planes = 3;
    const count = planes * pooling.size[0] * pooling.size[1];
    // Two thirds zeros, the rest among two values: most windows tie.
    const values = Array.from({ length: count }, () => Math.max(0, random.int(6) - 3));
    const dy = Array.from({ length: planes * pooling.output[0] * pooling.output[1] }, (_, i) => i + 1);
    const { kernel, strides, dilations, pads } = pooling;
    const [dx] = await gradientsOf('MaxPool', [{ values, dims: [1, planes, ...pooling.size] }], dy, {
      kernel_shape: kernel,
      strides,
      dilations,
      pads,
      ceil_mode: pooling.ceil ?? 0,
    });
    assert.deepEqual(dx, reference(values, dy, pooling));
  });
}

test('a global maximum that ties gives its gradient to the first', async () => {
  const x = { values: [0, 0, 0, 0, 1, 3, 3, 2], dims: [1, 2, 2, 2] };
  assert.deepEqual(await gradientsOf('GlobalMaxPool', [x], [5, 7]), [[5, 0, 0, 0, 0, 7, 0, 0]]);
});
