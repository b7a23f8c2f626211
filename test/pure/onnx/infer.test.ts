import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float } from '../../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import { numbers, tensor } from '../../../src/core/onnx/tensor.ts';
import { RetortError } from '../../../src/errors.ts';

const shape = (b: GraphBuilder, name: string) => b.type(name).shape;

test('shapes follow a small convolutional network with a symbolic batch', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 3, 32, 32]);
  const w = b.initializer('w', tensor('float32', [16, 3, 3, 3], new Array(432).fill(0)));
  const conv = b.op('Conv', [x, w], { pads: [1, 1, 1, 1], strides: [2, 2] });
  assert.deepEqual(shape(b, conv), ['N', 16, 16, 16]);
  const [pooled, indices] = b.ops(
    'MaxPool',
    [conv],
    { kernel_shape: [2, 2], strides: [2, 2] },
    { outputs: 2 },
  );
  assert.deepEqual(shape(b, pooled!), ['N', 16, 8, 8]);
  assert.equal(b.dtype(indices!), 'int64');
  const flat = b.op('Flatten', [pooled!]);
  assert.deepEqual(shape(b, flat), ['N', 1024]);
  const head = b.initializer('head', tensor('float32', [10, 1024], new Array(10240).fill(0)));
  const logits = b.op('Gemm', [flat, head], { transB: 1, alpha: float(1) });
  assert.deepEqual(shape(b, logits), ['N', 10]);
  assert.deepEqual(shape(b, b.op('ReduceMean', [logits, b.ints([1])], { keepdims: 0 })), ['N']);
});

test('shape arithmetic folds to constants, and keeps the symbolic batch', () => {
  for (const batch of [4, 'N'] as const) {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [batch, 6, 8]);
    const dims = b.op('Shape', [x]);
    const first = b.op('Gather', [dims, b.constant(0, 'int64')]);
    const target = b.op('Concat', [b.op('Unsqueeze', [first, b.ints([0])]), b.ints([-1])], { axis: 0 });
    const y = b.op('Reshape', [x, target]);
    assert.deepEqual(shape(b, y), [batch, 48]);
    if (batch === 4) assert.deepEqual(numbers(b.type(target).constant!), [4, -1]);
  }
});

test('a float initializer is never folded, but Resize reads its scales', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 3, 5, 5]);
  const scales = b.initializer('scales', tensor('float32', [4], [1, 1, 2, 2.5]));
  assert.equal(b.type(b.op('Neg', [scales])).constant, undefined);
  assert.deepEqual(shape(b, b.op('Resize', [x, '', scales])), [1, 3, 10, 12]);
});

test('a contradiction is ONNX_SHAPE and names the node', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2, 3]);
  const y = b.input('y', 'float32', [4, 5]);
  assert.throws(
    () => b.op('MatMul', [x, y], {}, { name: 'head' }),
    (e: unknown) => e instanceof RetortError && e.code === 'ONNX_SHAPE' && /MatMul "head"/.test(e.message),
  );
  assert.throws(() => b.op('Add', [x, y]), /do not broadcast/);
});
