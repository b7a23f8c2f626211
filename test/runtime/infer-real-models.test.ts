import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TypedArray } from '../../src/core/onnx/dtype.ts';
import { inferShapes } from '../../src/core/onnx/infer-shapes.ts';
import { numbers, tensorOf } from '../../src/core/onnx/tensor.ts';
import { feedsFor, realModels } from '../support/real-models.ts';
import { runModel } from '../support/run-model.ts';

const models = realModels();

test('there are real models to infer', { skip: models.length === 0 && 'no shared fixtures' }, () => {
  assert.ok(models.length > 20);
});

for (const model of models) {
  test(`every intermediate of ${model.name} has the inferred type, and folded ones the value`, async () => {
    const original = model.load();
    const { feeds, shapes } = feedsFor(original, 2);
    const { types } = inferShapes(original, { shapes });
    const names = original.graph.nodes
      .flatMap((node) => node.outputs)
      .filter((name) => types.get(name)?.dtype);
    const outputs = names.map((name) => ({ name, dtype: types.get(name)!.dtype, shape: undefined }));
    // Sequences and maps cannot be returned; whatever else is unknown would be a gap in the registry.
    const gaps = [...types].filter(([, type]) => !type.dtype && !type.sequence).map(([name]) => name);
    assert.deepEqual(
      gaps.filter((name) => !mapOutputs.includes(name)),
      [],
    );
    const real = await runModel({ ...original, graph: { ...original.graph, outputs } }, feeds, {
      optimization: 'disabled',
    });
    for (const [name, value] of Object.entries(real)) {
      const type = types.get(name)!;
      assert.equal(type.dtype, value.dtype, name);
      assert.deepEqual(type.shape, value.dims, name);
      if (!type.constant) continue;
      const data = tensorOf(value.dtype, value.dims, value.data as TypedArray);
      assert.deepEqual(numbers(type.constant), numbers(data), name);
    }
  });
}

/** ZipMap of mnist-winml-model-2p4M gives a sequence of maps. */
const mapOutputs = ['prediction'];
