import assert from 'node:assert/strict';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { TypedArray } from '../../src/core/onnx/dtype.ts';
import { numbers, tensorOf } from '../../src/core/onnx/tensor.ts';

const list = (value: NDArray): number[] =>
  numbers(tensorOf(value.dtype, value.dims, value.data as TypedArray));

/** Asserts equal names, types and shapes, and values within `tolerance` of the largest magnitude of each tensor. */
export function assertClose(
  actual: Readonly<Record<string, NDArray>>,
  expected: Readonly<Record<string, NDArray>>,
  tolerance: number,
  label: string,
): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), label);
  for (const [name, want] of Object.entries(expected)) {
    const got = actual[name]!;
    assert.equal(got.dtype, want.dtype, `${label}: ${name}`);
    assert.deepEqual(got.dims, want.dims, `${label}: ${name}`);
    const [a, b] = [list(got), list(want)];
    const scale = b.reduce((max, v) => Math.max(max, Math.abs(v)), 1e-9);
    const worst = a.reduce((max, v, i) => Math.max(max, Math.abs(v - b[i]!)), 0);
    assert.ok(worst <= tolerance * scale, `${label}: ${name} differs by ${worst} at scale ${scale}`);
    assert.ok(!a.some((v, i) => Number.isNaN(v) !== Number.isNaN(b[i])), `${label}: ${name} has other NaNs`);
  }
}
