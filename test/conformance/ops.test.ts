import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import { toAttribute } from '../../src/core/onnx/attributes.ts';
import { byteLength, dtypes, type TypedArray } from '../../src/core/onnx/dtype.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { inferShapes } from '../../src/core/onnx/infer-shapes.ts';
import type { Dim, Model, Node, Shape } from '../../src/core/onnx/model.ts';
import { ops } from '../../src/core/onnx/ops/index.ts';
import type { OpDefinition, OpSample, SampleTensor, SampleValue } from '../../src/core/onnx/ops/op.ts';
import { numbers, sizeOf, tensor, tensorOf } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

/** Operators without samples, and where they are tried instead. */
const elsewhere = new Map([
  ...['If', 'Loop', 'Scan'].map((op) => [op, 'infer-bodies.test.ts'] as const),
  ...['ConcatFromSequence', 'SequenceAt', 'SequenceConstruct', 'SequenceLength', 'SplitToSequence'].map(
    (op) => [op, 'sequences never leave a graph: passes.test.ts'] as const,
  ),
  ...['LinearClassifier', 'Scaler', 'StringNormalizer', 'TfIdfVectorizer', 'Tokenizer'].map(
    (op) => [op, 'the real model spam-lr-tfidf'] as const,
  ),
]);

const asTensor = (value: SampleValue): SampleTensor | undefined => {
  if (value === '') return undefined;
  return 'dtype' in value ? value : { dtype: 'float32', dims: value };
};

/** One node; stored inputs are initializers, or Constant nodes, whose floats may fold. */
function modelOf(definition: OpDefinition, sample: OpSample, constants: boolean): Model {
  const given = sample.inputs.map(asTensor);
  const stored = given.flatMap((t, i) =>
    t?.values ? [[`x${i}`, tensor(t.dtype, t.dims, t.values)] as const] : [],
  );
  const outputs = Array.from({ length: sample.outputs ?? 1 }, (_, i) => `y${i}`);
  const attributes = Object.fromEntries(
    Object.entries(sample.attributes).map(([k, v]) => [k, toAttribute(v)]),
  );
  const node: Node = {
    op: definition.op,
    domain: definition.domain ?? '',
    name: 'it',
    inputs: given.map((t, i) => (t ? `x${i}` : '')),
    outputs,
    attributes,
  };
  const holders = stored.map(
    ([name, value]): Node => ({
      op: 'Constant',
      domain: '',
      name,
      inputs: [],
      outputs: [name],
      attributes: { value: { type: 'tensor', value } },
    }),
  );
  return {
    irVersion: 8,
    opsets: { '': sample.opset ?? 18, ...(definition.domain ? { [definition.domain]: 1 } : {}) },
    graph: {
      name: 'one',
      nodes: constants ? [...holders, node] : [node],
      initializers: new Map(constants ? [] : stored),
      inputs: given.flatMap((t, i) =>
        t && !t.values ? [{ name: `x${i}`, dtype: t.dtype, shape: t.dims }] : [],
      ),
      outputs: outputs.map((name) => ({ name, dtype: 'float32', shape: undefined })),
      valueInfo: new Map(),
    },
  };
}

function feedsOf(sample: OpSample): Record<string, NDArray> {
  const random = new Random(7, 'ops');
  return Object.fromEntries(
    sample.inputs.map(asTensor).flatMap((t, i): [string, NDArray][] => {
      if (!t || t.values) return [];
      const Ctor = dtypes[t.dtype].array!;
      const count = sizeOf(t.dims);
      const data = new Ctor(new ArrayBuffer(byteLength(t.dtype, count)), 0, count);
      for (let n = 0; n < count; n++) {
        if (t.dtype === 'float32') data[n] = 0.05 + 0.9 * random.uniform();
        else if (t.dtype === 'int64') data[n] = BigInt(n % 3);
        else data[n] = n % 2;
      }
      return [[`x${i}`, { dtype: t.dtype, dims: t.dims, data }]];
    }),
  );
}

async function run(model: Model, sample: OpSample): Promise<Record<string, NDArray>> {
  // The session is told the inferred types: a wrong one is refused there, too.
  const { types } = inferShapes(model);
  const outputs = model.graph.outputs.map((o) => ({ ...o, dtype: types.get(o.name)!.dtype }));
  const bytes = encodeModel({ ...model, graph: { ...model.graph, outputs } });
  const session = await onnxruntime.open(bytes, { device: 'cpu', threads: 1 });
  try {
    return await session.run(feedsOf(sample));
  } finally {
    await session.close();
  }
}

const agrees = (inferred: Shape | undefined, real: readonly number[]): boolean =>
  inferred === undefined ||
  (inferred.length === real.length && inferred.every((dim, i) => typeof dim !== 'number' || dim === real[i]));

for (const definition of ops.values()) {
  const label = `${definition.domain ? `${definition.domain}.` : ''}${definition.op}`;
  test(`${label}: inferred types and folded values are the runtime's`, async (t) => {
    const samples = definition.samples ?? [];
    if (samples.length === 0) {
      assert.ok(elsewhere.has(definition.op), `${label} has no sample`);
      t.skip(`tried in ${elsewhere.get(definition.op)}`);
      return;
    }
    for (const sample of samples) {
      const model = modelOf(definition, sample, false);
      const { types } = inferShapes(model);
      const real = await run(model, sample);
      const constants = inferShapes(modelOf(definition, sample, true)).types;
      const open = openTypes(model);
      for (const [name, value] of Object.entries(real)) {
        const type = types.get(name)!;
        const where = `${label} ${JSON.stringify(sample.inputs)} ${name}`;
        assert.equal(type.dtype, value.dtype, where);
        if (!dataDependent.has(definition.op)) assert.deepEqual(type.shape, value.dims, where);
        for (const shape of open(name)) assert.ok(agrees(shape, value.dims), `${where}: guessed ${shape}`);
        for (const constant of [type.constant, constants.get(name)!.constant]) {
          if (!constant) continue;
          const data = tensorOf(value.dtype, value.dims, value.data as TypedArray);
          assert.deepEqual(numbers(constant), numbers(data), where);
        }
      }
    }
  });
}

/** How many there are is known only from the data. */
const dataDependent = new Set(['NonZero', 'Unique']);

/** Shapes inferred where inputs have a symbolic batch, unknown sizes or unknown rank: never wrong, only less known. */
function openTypes(model: Model): (name: string) => (Shape | undefined)[] {
  const loosen = (change: (shape: Shape) => Shape | undefined) => {
    const inputs = model.graph.inputs.map((i) => ({ ...i, shape: change(i.shape!) }));
    return inferShapes({ ...model, graph: { ...model.graph, inputs } }).types;
  };
  const all = [
    loosen((shape) => shape.map((dim, i): Dim => (i === 0 ? `N${dim}` : dim))),
    loosen((shape) => shape.map(() => '')),
    loosen(() => undefined),
  ];
  return (name) => all.map((types) => types.get(name)?.shape);
}
