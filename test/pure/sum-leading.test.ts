import assert from 'node:assert/strict';
import test from 'node:test';
import { sumLeading } from '../../src/core/autodiff/emit/sum-leading.ts';
import { intAttribute } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';

const summed = (dims: readonly number[], count: number) => {
  const b = new GraphBuilder();
  const sum = sumLeading(b, b.input('x', 'float32', dims), count);
  const shapes = b.nodes.map(({ op, outputs: [name] }) => [op, b.dims(name!)]);
  assert.ok(b.nodes.every((node) => intAttribute(node, 'keepdims', 0) === 0));
  return { shapes, dims: b.dims(sum) };
};

test('many rows are summed in blocks, at most 16 of equal size, then the blocks', () => {
  assert.deepEqual(summed([32, 64, 5], 2).shapes, [
    ['Reshape', [16, 128, 5]],
    ['ReduceSum', [16, 5]],
    ['ReduceSum', [5]],
  ]);
  assert.deepEqual(summed([90, 5], 1).shapes[0], ['Reshape', [15, 6, 5]]);
});

test('few rows, rows in a prime number and rows of one number are summed at once', () => {
  for (const [dims, count] of [
    [[63, 5], 1],
    [[127, 5], 1],
    [[32, 64, 1], 2],
  ] as const) {
    assert.deepEqual(summed(dims, count).shapes, [['ReduceSum', dims.slice(count)]]);
  }
});
