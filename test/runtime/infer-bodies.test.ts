import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NDArray } from '../../src/core/ndarray.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Attribute, Graph, Model } from '../../src/core/onnx/model.ts';
import { runModel } from '../support/run-model.ts';

const graph = (value: Graph): Attribute => ({ type: 'graph', value });

const floats = (dims: number[]): NDArray => ({
  dtype: 'float32',
  dims,
  data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1),
});

/** Every output of the model has the type the builder inferred; '' dimensions are open. */
async function agrees(model: Model, feeds: Record<string, NDArray>): Promise<void> {
  const real = await runModel(model, feeds);
  for (const output of model.graph.outputs) {
    const value = real[output.name]!;
    assert.equal(output.dtype, value.dtype, output.name);
    assert.equal(output.shape?.length, value.dims.length, output.name);
    output.shape!.forEach((dim, i) => {
      if (typeof dim === 'number') assert.equal(dim, value.dims[i], `${output.name} axis ${i}`);
    });
  }
}

test('If joins what its branches have in common', async () => {
  const branch = (repeat: number): Attribute => {
    const inner = new GraphBuilder();
    const x = inner.constant([1, 2, 3, 4, 5, 6], 'float32', [2, 3]);
    inner.output(inner.op('Tile', [x, inner.ints([1, repeat])]));
    return graph(inner.build('branch'));
  };
  const b = new GraphBuilder();
  const test = b.input('test', 'bool', []);
  const y = b.op('If', [test], { then_branch: branch(1), else_branch: branch(2) });
  assert.deepEqual(b.type(y).shape, [2, '']);
  b.output(y);
  await agrees(b.model(), { test: { dtype: 'bool', dims: [], data: Uint8Array.of(0) } });
});

test('Loop widens carried shapes that grow and stacks scan outputs', async () => {
  const body = new GraphBuilder();
  body.input('i', 'int64', []);
  const go = body.input('go', 'bool', []);
  const same = body.input('same', 'float32', undefined);
  const grown = body.input('grown', 'float32', undefined);
  body.output(body.op('Identity', [go]));
  body.output(body.op('Neg', [same]), body.op('Concat', [grown, same], { axis: 0 }));
  body.output(body.op('ReduceSum', [same, body.ints([1])], { keepdims: 0 }));
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2, 3]);
  const outputs = b.ops(
    'Loop',
    [b.constant(4, 'int64'), '', x, x],
    { body: graph(body.build()) },
    { outputs: 3 },
  );
  b.output(...outputs);
  assert.deepEqual(
    outputs.map((name) => b.type(name).shape),
    [
      [2, 3],
      ['', 3],
      [4, 2],
    ],
  );
  await agrees(b.model(), { x: floats([2, 3]) });
});

test('Scan reads rows along its axes and stacks what it makes', async () => {
  const body = new GraphBuilder();
  const state = body.input('state', 'float32', undefined);
  const row = body.input('row', 'float32', undefined);
  body.output(body.op('Add', [state, row]), body.op('Mul', [state, row]));
  const b = new GraphBuilder();
  const start = b.input('start', 'float32', [3]);
  const rows = b.input('rows', 'float32', [3, 5]);
  const outputs = b.ops(
    'Scan',
    [start, rows],
    { body: graph(body.build()), num_scan_inputs: 1, scan_input_axes: [1], scan_output_axes: [-1] },
    { outputs: 2 },
  );
  b.output(...outputs);
  assert.deepEqual(b.type(outputs[1]!).shape, [3, 5]);
  await agrees(b.model(), { start: floats([3]), rows: floats([3, 5]) });
});
