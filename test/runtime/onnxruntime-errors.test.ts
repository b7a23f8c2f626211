import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { DType } from '../../src/core/onnx/dtype.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import type { Model, Node } from '../../src/core/onnx/model.ts';
import { type Tensor, tensor, typedData } from '../../src/core/onnx/tensor.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { openModel } from '../../src/pipeline/teacher/open-model.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

interface Wish {
  readonly dtype?: DType;
  readonly opset?: number;
  readonly irVersion?: number;
  readonly inputs?: string[];
  readonly attributes?: Node['attributes'];
  readonly w?: Tensor;
}

/** y = op(x), x of two elements. */
function model(op: string, wish: Wish = {}): Model {
  const { dtype = 'float32', opset = 18, irVersion = 8, inputs = ['x'], attributes = {}, w } = wish;
  return {
    irVersion,
    opsets: { '': opset },
    graph: {
      name: 'g',
      nodes: [{ op, domain: '', name: 'n', inputs, outputs: ['y'], attributes }],
      initializers: new Map(w ? [['w', w]] : []),
      inputs: [{ name: 'x', dtype, shape: [2] }],
      outputs: [{ name: 'y', dtype: undefined, shape: undefined }],
      valueInfo: new Map(),
    },
  };
}

const external = { location: 'w.bin', offset: 0 };
const far: Tensor = { dtype: 'float32', dims: [2], bytes: new Uint8Array(), external };
const foo: Node['attributes'] = { foo: { type: 'int', value: 1n } };

const refusals: Readonly<Record<string, readonly [Model, ErrorCode, RegExp]>> = {
  'no kernel': [model('Relu', { dtype: 'int16' }), 'ONNX_UNSUPPORTED', /no kernel for operator Max/],
  'a wrong type': [
    model('Relu', { dtype: 'string' }),
    'ONNX_UNSUPPORTED',
    /operator Relu \(node "n"\) does not take tensor\(string\), the type of its input "x"/,
  ],
  'a type JavaScript lacks': [
    model('Identity', { dtype: 'bfloat16' }),
    'ONNX_UNSUPPORTED',
    /of type bfloat16/,
  ],
  'a later IR version': [model('Relu', { irVersion: 14 }), 'ONNX_UNSUPPORTED', /IR version 14 is newer/],
  'a later opset': [model('Relu', { opset: 27 }), 'ONNX_UNSUPPORTED', /opset 27 is newer/],
  'an operator of later opsets': [
    model('Gelu'),
    'ONNX_UNSUPPORTED',
    /operator Gelu does not exist in opset 18/,
  ],
  'a missing value': [model('Relu', { inputs: ['q'] }), 'ONNX_INVALID', /Node input 'q' is not/],
  'an unknown attribute': [model('Relu', { attributes: foo }), 'ONNX_INVALID', /Unrecognized attribute: foo/],
  'a missing file': [model('Add', { inputs: ['x', 'w'], w: far }), 'ONNX_EXTERNAL_DATA', /external file/],
};

for (const [name, [broken, code, message]] of Object.entries(refusals)) {
  test(`${name} is ${code}`, async () => {
    await assert.rejects(onnxruntime.open(encodeModel(broken), cpu), { code, message });
  });
}

test('external files are taken as given', async () => {
  const externalData = new Map([['w.bin', new Uint8Array(new Float32Array([10, 20]).buffer)]]);
  const bytes = encodeModel(model('Add', { inputs: ['x', 'w'], w: far }));
  const session = await onnxruntime.open(bytes, { ...cpu, externalData });
  const { y } = await session.run({ x: { dtype: 'float32', dims: [2], data: new Float32Array([1, 2]) } });
  assert.deepEqual(y?.data, new Float32Array([11, 22]));
  await session.close();
});

test('a model opens by the file it says is "here": onnxruntime compares the names as they are written', async () => {
  const files = new Map([['w.bin', new Uint8Array(new Float32Array([10, 20]).buffer)]]);
  const here = { ...far, external: { ...external, location: './w.bin' } };
  const bytes = encodeModel(model('Add', { inputs: ['x', 'w'], w: here }));
  await assert.rejects(onnxruntime.open(bytes, { ...cpu, externalData: files }), { code: 'RUNTIME_FAILED' });
  const { graph } = await openModel(bytes, files, onnxruntime);
  assert.deepEqual(typedData(graph.initializers.get('w')!), new Float32Array([10, 20]));
});

test('what fails at run time is RUNTIME_FAILED, with the reason', async () => {
  const session = await onnxruntime.open(encodeModel(model('Relu')), cpu);
  const three = { dtype: 'float32', dims: [3], data: new Float32Array(3) } as const;
  const message = /invalid dimensions for input: x/;
  await assert.rejects(session.run({ x: three }), { code: 'RUNTIME_FAILED', message });
  await session.close();
});

test('a number that picks nothing is DATA_MISMATCH, with what there is', async () => {
  const b = new GraphBuilder();
  const table = b.initializer('table', tensor('float32', [3, 1], [1, 2, 3]));
  b.output(b.op('Gather', [table, b.input('ids', 'int64', [2])]));
  const session = await onnxruntime.open(encodeModel(b.model('look-up')), cpu);
  const ids = { dtype: 'int64', dims: [2], data: BigInt64Array.of(-3n, 3n) } as const;
  await assert.rejects(session.run({ ids }), { code: 'DATA_MISMATCH', message: /number 3, .* -3 to 2/ });
  await session.close();
});
