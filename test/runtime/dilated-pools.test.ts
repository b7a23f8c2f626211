import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { AttributeInput } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { prepareTraining } from '../../src/core/onnx/passes/prepare-training.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { gradientsOf } from '../../src/core/program/gradients-of.ts';
import { trainableNames } from '../../src/core/program/trainable.ts';
import { Random } from '../../src/core/random.ts';
import { kernels } from '../support/kernels.ts';
import { runModel } from '../support/run-model.ts';
import { relativeError } from '../support/training.ts';

/** AveragePool with dilations came with opset 19; a training graph is opset 18. */

type Settings = Readonly<Record<string, AttributeInput>>;

const pools: Readonly<Record<string, readonly [readonly number[], Settings]>> = {
  'no padding': [[2, 3, 7, 8], { kernel_shape: [3, 2], dilations: [2, 3] }],
  'strides, padding left out': [
    [1, 2, 9, 8],
    { kernel_shape: [3, 3], dilations: [2, 2], strides: [2, 3], pads: [2, 1, 1, 2] },
  ],
  'padding counted': [
    [1, 2, 9, 8],
    { kernel_shape: [3, 3], dilations: [2, 1], strides: [2, 2], pads: [2, 1, 1, 2], count_include_pad: 1 },
  ],
  'rounded up': [[1, 2, 8, 9], { kernel_shape: [2, 2], dilations: [3, 2], strides: [3, 2], ceil_mode: 1 }],
  'rounded up, padding counted': [
    [1, 1, 8, 9],
    {
      kernel_shape: [2, 2],
      dilations: [2, 2],
      strides: [3, 3],
      pads: [1, 1, 1, 0],
      ceil_mode: 1,
      count_include_pad: 1,
    },
  ],
  '1-D': [[2, 2, 9], { kernel_shape: [3], dilations: [3] }],
  '3-D': [[1, 2, 4, 5, 4], { kernel_shape: [2, 2, 2], dilations: [2, 3, 1] }],
};

const drawn = (dims: readonly number[], stream: number): NDArray => {
  const random = new Random(5, 'pool', stream);
  return { dtype: 'float32', dims, data: Float32Array.from({ length: sizeOf(dims) }, () => random.normal()) };
};

/** y = pool(x w), w [1, ...] as large as a row of x. */
function pooled(rows: number | string, dims: readonly number[], settings: Settings): Model {
  const b = new GraphBuilder({ '': 19 });
  const x = b.input('x', 'float32', [rows, ...dims.slice(1)]);
  const weight = drawn([1, ...dims.slice(1)], 1);
  const w = b.initializer('w', tensor('float32', weight.dims, weight.data as Float32Array));
  b.output(b.op('AveragePool', [b.op('Mul', [x, w])], settings, { outputs: ['y'] }));
  return b.model();
}

for (const [name, [dims, settings]] of Object.entries(pools)) {
  test(`a dilated average pool is written as a convolution: ${name}`, async () => {
    const open = pooled('N', dims, settings);
    const prepared = prepareTraining(open);
    assert.deepEqual(trainableNames(prepared.graph), ['w'], 'what is made for it is not trained');
    const x = drawn(dims, 2);
    const [before, after] = [await runModel(open, { x }), await runModel(prepared, { x })];
    assert.deepEqual(after.y!.dims, before.y!.dims);
    assert.ok(relativeError(after.y!.data as Float32Array, before.y!.data as Float32Array) < 1e-6);
  });

  for (const kernel of kernels) {
    test(`${kernel.name}: a dilated average pool passes its gradient: ${name}`, async () => {
      const x = drawn(dims, 2);
      const model = pooled(dims[0]!, dims, settings);
      const plain = await runModel(model, { x });
      const dy = drawn(plain.y!.dims, 3);
      const request = { model, parameters: ['w'], training: true };
      const { gradients } = await gradientsOf(request, { x }, { y: dy }, kernel);
      // Pooling is linear: the gradient by w[i] is <dy, y> where x is all but zero at i, by w[i].
      const w = drawn([1, ...dims.slice(1)], 1).data as Float32Array;
      const expected = new Float32Array(w.length);
      for (let i = 0; i < w.length; i++) {
        const data = (x.data as Float32Array).map((value, at) => (at % w.length === i ? value : 0));
        const y = (await runModel(model, { x: { ...x, data } })).y!.data as Float32Array;
        expected[i] = y.reduce((sum, value, at) => sum + value * (dy.data as Float32Array)[at]!, 0) / w[i]!;
      }
      assert.ok(relativeError(gradients.get('w')!, expected) < 1e-5);
    });
  }
}

test('padding to the same size around a dilated average pool follows ONNX, which onnxruntime does not', async () => {
  const dims = [1, 2, 6, 7];
  const settings = { kernel_shape: [2, 3], dilations: [2, 2], strides: [2, 1] };
  const x = drawn(dims, 2);
  const run = async (padding: Settings) =>
    (await runModel(prepareTraining(pooled('N', dims, { ...settings, ...padding })), { x })).y!;
  const [same, stated] = [await run({ auto_pad: 'SAME_UPPER' }), await run({ pads: [0, 2, 1, 2] })];
  assert.deepEqual(same.dims, [1, 2, 3, 7]);
  assert.deepEqual(same, stated);
});
