import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NDArray } from '../../src/core/ndarray.ts';
import { type AttributeInput, float, floats, graphAttribute } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph, Model } from '../../src/core/onnx/model.ts';
import { applyPass } from '../../src/core/onnx/passes/pass.ts';
import { prepareTraining } from '../../src/core/onnx/passes/prepare-training.ts';
import { toOpset18 } from '../../src/core/onnx/passes/to-opset-18.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { gradientsOf } from '../../src/core/program/gradients-of.ts';
import { trainableNames } from '../../src/core/program/trainable.ts';
import { Random } from '../../src/core/random.ts';
import { RetortError } from '../../src/errors.ts';
import { kernels } from '../support/kernels.ts';
import { runModel } from '../support/run-model.ts';
import { relativeError } from '../support/training.ts';

/** What is rewritten before training computes what it did: both graphs through onnxruntime. */

const drawn = (dims: readonly number[], stream = 0): NDArray => {
  const random = new Random(5, 'prepared', stream);
  return { dtype: 'float32', dims, data: Float32Array.from({ length: sizeOf(dims) }, () => random.normal()) };
};

const model = (opset: number, build: (b: GraphBuilder) => readonly string[]): Model => {
  const b = new GraphBuilder({ '': opset, 'com.microsoft': 1 });
  b.output(...build(b));
  return b.model();
};

const opsOf = ({ graph }: Model): string[] => graph.nodes.map(({ op }) => op);

async function same(original: Model, gone: string): Promise<void> {
  const feeds = Object.fromEntries(
    original.graph.inputs.map(({ name, shape }, i) => [name, drawn(shape as number[], i)]),
  );
  const prepared = prepareTraining(original);
  assert.ok(opsOf(original).includes(gone), `${gone} is there before`);
  assert.ok(!opsOf(prepared).includes(gone), `${gone} is gone`);
  const [before, after] = [await runModel(original, feeds), await runModel(prepared, feeds)];
  for (const [name, { dims, data }] of Object.entries(before)) {
    assert.deepEqual(after[name]!.dims, dims, name);
    const error = relativeError(after[name]!.data as Float32Array, data as Float32Array);
    assert.ok(error < 1e-5, `${name} is off by ${error}`);
  }
}

const asBody = (value: Graph) => ({ type: 'graph', value }) as const;

/** h <- h w, and h times the turn's number beside it; the condition is handed on. */
function turn(): Graph {
  const body = new GraphBuilder();
  const i = body.input('i', 'int64', []);
  const go = body.input('go', 'bool', []);
  const h = body.input('h', 'float32', [2, 3]);
  const w = body.initializer('two', tensor('float32', [1], [2]));
  const next = body.op('Mul', [h, w]);
  body.output(body.op('Identity', [go]), next, body.op('Mul', [next, body.op('Cast', [i], { to: 1 })]));
  return body.build('turn');
}

test('a Loop of known length is written out, what it scans stacked', () =>
  same(
    model(13, (b) => {
      const x = b.input('x', 'float32', [2, 3]);
      const inputs = [b.constant(3, 'int64'), b.constant([1], 'bool', []), x];
      return b.ops('Loop', inputs, { body: asBody(turn()) }, { outputs: 2 });
    }),
    'Loop',
  ));

for (const direction of [0, 1]) {
  test(`a Scan is written out, ${direction ? 'from the end' : 'from the start'}`, () => {
    const body = new GraphBuilder();
    const state = body.input('state', 'float32', [3]);
    const row = body.input('row', 'float32', [3]);
    const next = body.op('Tanh', [body.op('Add', [state, row])]);
    body.output(next, body.op('Mul', [next, row]));
    const attributes: Record<string, AttributeInput> = {
      body: asBody(body.build('step')),
      num_scan_inputs: 1,
      scan_input_axes: [1],
      scan_output_axes: [-1],
      scan_input_directions: [direction],
      scan_output_directions: [direction],
    };
    return same(
      model(11, (b) => {
        const [start, rows] = [b.input('start', 'float32', [3]), b.input('rows', 'float32', [3, 5])];
        return b.ops('Scan', [start, rows], attributes, { outputs: 2 });
      }),
      'Scan',
    );
  });
}

const fused: Readonly<Record<string, (b: GraphBuilder) => readonly string[]>> = {
  FusedMatMul: (b) => {
    const [x, y] = [b.input('x', 'float32', [2, 4, 3]), b.input('y', 'float32', [5, 4])];
    const attributes = { transA: 1, transB: 1, alpha: float(0.5) };
    return b.ops('FusedMatMul', [x, y], attributes, { domain: 'com.microsoft' });
  },
  FusedConv: (b) => {
    const inputs = [[1, 2, 5, 5], [3, 2, 3, 3], [3], [1, 3, 5, 5]].map((dims, i) =>
      b.input(`x${i}`, 'float32', dims),
    );
    const attributes = { pads: [1, 1, 1, 1], activation: 'LeakyRelu', activation_params: floats([0.1]) };
    return b.ops('FusedConv', inputs, attributes, { domain: 'com.microsoft' });
  },
  FusedGemm: (b) => {
    const inputs = [[2, 3], [4, 3], [4]].map((dims, i) => b.input(`x${i}`, 'float32', dims));
    return b.ops('FusedGemm', inputs, { transB: 1, activation: 'Relu' }, { domain: 'com.microsoft' });
  },
};

for (const [op, build] of Object.entries(fused)) {
  test(`${op} is taken apart`, () => same(model(13, build), op));
}

for (const equation of ['ii->i', 'bii->b', '...ii->...i', 'iij,jk']) {
  test(`the diagonal of ${equation} is taken by an identity matrix`, async () => {
    const shapes = equation.startsWith('i')
      ? [equation.includes(',') ? [3, 3, 2] : [3, 3], ...(equation.includes(',') ? [[2, 4]] : [])]
      : [[2, 3, 3]];
    const original = model(13, (b) =>
      b.ops(
        'Einsum',
        shapes.map((dims, i) => b.input(`x${i}`, 'float32', dims)),
        { equation },
      ),
    );
    const feeds = Object.fromEntries(shapes.map((dims, i) => [`x${i}`, drawn(dims, i)]));
    const name = original.graph.outputs[0]!.name;
    const prepared = prepareTraining(original);
    assert.deepEqual(trainableNames(prepared.graph), [], 'the identity matrix is not trained');
    const [before, after] = [await runModel(original, feeds), await runModel(prepared, feeds)];
    assert.ok(relativeError(after[name]!.data as Float32Array, before[name]!.data as Float32Array) < 1e-5);
    assert.deepEqual(after[name]!.dims, before[name]!.dims);
  });
}

for (const [op, attributes] of [
  ['MaxPool', {}],
  ['AveragePool', {}],
  ['AveragePool', { count_include_pad: 1 }],
] as const) {
  test(`${op} ${JSON.stringify(attributes)} rounds up in numbers where a last window lies in the padding`, async () => {
    const settings = {
      kernel_shape: [2, 2],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
      ...attributes,
    };
    // Declared without sizes, as onnxruntime makes 4 x 4 of it and ONNX's shape inference 5 x 4.
    const plain = model(13, (b) => b.ops(op, [b.input('x', 'float32', [1, 2, 7, 6])], settings));
    const outputs = plain.graph.outputs.map(({ name, dtype }) => ({ name, dtype, shape: undefined }));
    const original = { ...plain, graph: { ...plain.graph, outputs } };
    const prepared = applyPass(toOpset18, original, {});
    assert.equal(prepared.graph.nodes[0]!.attributes.ceil_mode, undefined);
    const feeds = { x: drawn([1, 2, 7, 6]) };
    const name = outputs[0]!.name;
    const [before, after] = [await runModel(original, feeds), await runModel(prepared, feeds)];
    assert.deepEqual(after[name]!.dims, [1, 2, 4, 4]);
    assert.ok(relativeError(after[name]!.data as Float32Array, before[name]!.data as Float32Array) < 1e-5);
  });
}

test('padding to the same size around a dilated window is written in numbers', async () => {
  const original = model(13, (b) => {
    const w = b.initializer('w', tensor('float32', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6]));
    const settings = { auto_pad: 'SAME_UPPER', dilations: [1, 2] };
    return b.ops('Conv', [b.input('x', 'float32', [1, 1, 4, 5]), w], settings);
  });
  const prepared = applyPass(toOpset18, original, {});
  assert.deepEqual(prepared.graph.nodes[0]!.attributes.pads, { type: 'ints', value: [0n, 2n, 1n, 2n] });
  const made = await runModel(prepared, { x: drawn([1, 1, 4, 5]) });
  assert.deepEqual(Object.values(made)[0]!.dims, [1, 1, 4, 5]);
});

test('a GridSample of volumes, which opset 18 lacks, is refused by name', () => {
  const volumes = model(20, (b) => {
    const [x, grid] = [b.input('x', 'float32', [1, 1, 3, 3, 3]), b.input('grid', 'float32', [1, 2, 2, 2, 3])];
    return b.ops('GridSample', [x, grid], { mode: 'linear' }, { name: 'warp' });
  });
  assert.throws(
    () => prepareTraining(volumes),
    (error) =>
      error instanceof RetortError &&
      error.code === 'ONNX_UNSUPPORTED' &&
      /GridSample "warp.*volumes/.test(error.message),
  );
});

for (const kernel of kernels) {
  test(`${kernel.name}: what a Loop multiplies by is trained`, async () => {
    const looped = model(13, (b) => {
      const w = b.initializer('w', tensor('float32', [1], [0.5]));
      const body = new GraphBuilder();
      body.input('i', 'int64', []);
      const go = body.input('go', 'bool', []);
      const h = body.input('h', 'float32', [2]);
      body.output(go, body.op('Mul', [h, h]));
      const start = b.op('Mul', [b.input('x', 'float32', [2]), w], {}, { outputs: ['start'] });
      return b.ops('Loop', [b.constant(2, 'int64'), '', start], { body: asBody(body.build('square')) });
    });
    assert.ok(graphAttribute(looped.graph.nodes.at(-1)!, 'body'));
    const [y] = looped.graph.outputs;
    const x: NDArray = { dtype: 'float32', dims: [2], data: Float32Array.of(1, 2) };
    const ones: NDArray = { dtype: 'float32', dims: [2], data: Float32Array.of(1, 1) };
    const request = { model: looped, parameters: ['w'], training: true };
    const { loss, gradients } = await gradientsOf(request, { x }, { [y!.name]: ones }, kernel);
    // (x w)^4 twice: 17 w^4, and 68 w^3 by w.
    assert.ok(Math.abs(loss - 17 / 16) < 1e-5, `loss ${loss}`);
    assert.ok(Math.abs(gradients.get('w')![0]! - 8.5) < 1e-4, `gradient ${gradients.get('w')}`);
  });

  test(`${kernel.name}: bounds of Clip that are trained take their gradient`, async () => {
    const clipped = model(18, (b) => {
      const bounds = [-1, 0.5].map((value, i) => b.initializer(`bound${i}`, tensor('float32', [], [value])));
      return b.ops('Clip', [b.input('x', 'float32', [4]), ...bounds]);
    });
    const [y] = clipped.graph.outputs;
    const x: NDArray = { dtype: 'float32', dims: [4], data: Float32Array.of(-2, 0, 1, 3) };
    const ones: NDArray = { dtype: 'float32', dims: [4], data: Float32Array.of(1, 2, 4, 8) };
    const request = { model: clipped, parameters: ['bound0', 'bound1'], training: true };
    const { gradients } = await gradientsOf(request, { x }, { [y!.name]: ones }, kernel);
    assert.deepEqual(
      [...gradients.values()].map(([value]) => value),
      [1, 12],
    );
  });

  test(`${kernel.name}: a padding value that is trained is refused by name`, async () => {
    const padded = model(18, (b) => {
      const value = b.initializer('value', tensor('float32', [], [0.5]));
      return b.ops('Pad', [b.input('x', 'float32', [2]), b.ints([1, 1]), value], {}, { name: 'edge' });
    });
    const [y] = padded.graph.outputs;
    const request = { model: padded, parameters: ['value'], training: true };
    await assert.rejects(
      gradientsOf(request, { x: drawn([2]) }, { [y!.name]: drawn([4]) }, kernel),
      (error) =>
        error instanceof RetortError && /Pad "edge".*input 2|input 2 of Pad "edge"/.test(error.message),
    );
  });

  test(`${kernel.name}: a Loop whose length is not known is refused by name`, async () => {
    const body = new GraphBuilder();
    body.input('i', 'int64', []);
    const go = body.input('go', 'bool', []);
    const h = body.input('h', 'float32', [2]);
    body.output(go, body.op('Mul', [h, h]));
    const looped = model(13, (b) => {
      const x = b.op('Mul', [
        b.input('x', 'float32', [2]),
        b.initializer('w', tensor('float32', [1], [0.5])),
      ]);
      const turns = b.op('Cast', [b.op('ReduceSum', [x], { keepdims: 0 })], { to: 7 });
      return b.ops('Loop', [turns, '', x], { body: asBody(body.build('b')) }, { name: 'while' });
    });
    const [y] = looped.graph.outputs;
    const request = { model: looped, parameters: ['w'], training: true };
    await assert.rejects(
      gradientsOf(request, { x: drawn([2]) }, { [y!.name]: drawn([2]) }, kernel),
      (error) => error instanceof RetortError && /Loop/.test(`${error.message}${error.problems}`),
    );
  });
}
