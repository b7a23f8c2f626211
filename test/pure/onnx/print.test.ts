import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeModel } from '../../../src/core/onnx/decode.ts';
import { encodeModel } from '../../../src/core/onnx/encode.ts';
import { printModel } from '../../../src/core/onnx/print.ts';
import { tensor } from '../../../src/core/onnx/tensor.ts';
import { sampleModel } from '../../support/sample-model.ts';

test('a model prints as text, the same before and after a file', () => {
  const model = { ...sampleModel(), irVersion: 8 };
  const text = printModel(model);
  assert.equal(text, printModel(decodeModel(encodeModel(model))));
  assert.equal(text, golden);
});

test('odd tensors print too', () => {
  const model = sampleModel();
  const initializers = new Map([
    ['empty', tensor('float32', [0, 3], [])],
    ['scalar', tensor('int64', [], [-7])],
    ['signed', tensor('float32', [3], [-0, Number.NaN, Number.POSITIVE_INFINITY])],
    ['long', tensor('uint8', [9], [1, 2, 3, 4, 5, 6, 7, 8, 9])],
    ['packed', { dtype: 'int4', dims: [3], bytes: Uint8Array.of(1, 2) }],
    ['broken', { dtype: 'float32', dims: [3], bytes: new Uint8Array(2) }],
    ['words', { dtype: 'string', dims: [1], bytes: new Uint8Array(), strings: [Buffer.from('a\n')] }],
    ['far', { dtype: 'float32', dims: [3], bytes: new Uint8Array(), external: { location: 'w', offset: 4 } }],
  ] as const);
  const lines = printModel({ ...model, graph: { ...model.graph, initializers } }).split('\n');
  assert.deepEqual(lines.slice(3, 11), [
    '  empty: float32[0, 3] {}',
    '  scalar: int64[] {-7}',
    '  signed: float32[3] {-0, NaN, Infinity}',
    '  long: uint8[9] {1, 2, 3, 4, 5, 6, 7, 8, ...}',
    '  packed: int4[3] {2 bytes}',
    '  broken: float32[3] {2 bytes}',
    '  words: string[1] {"a\\n"}',
    '  far: float32[3] in "w" at 4',
  ]);
});

const golden = `model IR 8, opset ai.onnx 18, com.microsoft 1, made by retort
  author: "a \\"person\\""
graph "sample" (x: float32[N, 3, 8, 8]) -> (y: float32[N, 2, 8, 8], u: ?[...])
  conv.weight: float32[2, 3, 3, 3] {0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, ...}
  bias: float16[2] {0.5, -2}
  const: float32[] {0}
  c = Conv(x, conv.weight) {pads=[1, 1, 1, 1], auto_pad="NOTSET"}
  r = LeakyRelu(c) {alpha=0.1} # act
  u = com.microsoft.Upsample(r) {scales=[1, 1, 2, 2]}
  m = ReduceMax(r) {keepdims=0}
  positive = Greater(m, const)
  y = If(positive) # choose
    then_branch:
      graph "yes" () -> (yes.out: float32[...])
        yes.out = Relu(r)
    else_branch:
      graph "no" () -> (no.out: float32[...])
        no.out = Neg(r)
`;
