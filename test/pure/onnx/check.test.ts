import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkModel } from '../../../src/core/onnx/check.ts';
import type { Graph, Model, Node } from '../../../src/core/onnx/model.ts';
import { tensor } from '../../../src/core/onnx/tensor.ts';
import { sampleModel } from '../../support/sample-model.ts';

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Node['attributes'] = {},
): Node => ({
  op,
  domain: '',
  name: '',
  inputs,
  outputs,
  attributes,
});
const value = (name: string, dtype?: 'float32') => ({ name, dtype, shape: undefined });
const graph = (fields: Partial<Graph>): Graph => ({
  name: 'g',
  nodes: [],
  initializers: new Map(),
  inputs: [],
  outputs: [],
  valueInfo: new Map(),
  ...fields,
});
const model = (fields: Partial<Graph>, rest: Partial<Model> = {}): Model => ({
  irVersion: 8,
  opsets: { '': 18 },
  graph: graph(fields),
  ...rest,
});
const found = (broken: Model) => checkModel(broken).map(({ where, message }) => `${where}: ${message}`);

test('a good model has no problems', () => {
  assert.deepEqual(checkModel(sampleModel()), []);
});

test('all problems of a model are found at once', () => {
  const broken = model(
    {
      inputs: [value('x', 'float32'), value('x', 'float32'), value('untyped')],
      initializers: new Map([
        ['short', { ...tensor('float32', [2], [1, 2]), dims: [3] }],
        ['wide', tensor('float32', [2], [1, 2])],
        ['text', { dtype: 'string', dims: [2], bytes: new Uint8Array(), strings: [new Uint8Array()] }],
        ['huge', { dtype: 'float32', dims: [2 ** 40, 2 ** 40], bytes: new Uint8Array() }],
      ]),
      valueInfo: new Map([['wide', { name: 'wide', dtype: 'float32', shape: [3] }]]),
      nodes: [
        node('Relu', ['late'], ['a']),
        node('Relu', ['x'], ['late']),
        node('Relu', ['x'], ['a']),
        { ...node('', ['nobody'], ['b']), domain: 'constructor' },
        node('If', ['x'], ['c'], {
          then_branch: {
            type: 'graph',
            value: graph({ name: 'then', nodes: [node('Add', ['x', 'gone'], ['x'])], outputs: [value('x')] }),
          },
          k: { type: 'tensor', value: { ...tensor('int64', [1], [1]), dims: [2] } },
        }),
      ],
      outputs: [value('a'), value('a'), value('missing')],
    },
    { irVersion: 14, opsets: { '': 27 } },
  );
  assert.deepEqual(found(broken), [
    'model: IR version 14; the newest known is 13',
    'opset of domain "ai.onnx": version 27; the newest known is 26',
    'model: operator  is of domain "constructor", which opset_import does not list',
    'graph "g": input "x" is defined before',
    'graph "g": input "untyped" has no type',
    'graph "g", initializer "short": float32[3] needs 12 bytes, has 8',
    'graph "g": initializer "wide" is float32[2], but declared as float32[3]',
    'graph "g", initializer "text": string[2] needs 2 strings, has 1',
    `graph "g", initializer "huge": float32[${2 ** 40}, ${2 ** 40}] has more elements than can be`,
    'graph "g", node 0 Relu: input "late" is made only later (not in topological order)',
    'graph "g", node 2 Relu: output "a" is defined before (not SSA)',
    'graph "g", node 3 : no operator is named',
    'graph "g", node 3 : input "nobody" is made by nothing',
    'graph "g", node 4 If, attribute k: int64[2] needs 16 bytes, has 8',
    'graph "g", node 4 If, graph "then", node 0 Add: input "gone" is made by nothing',
    'graph "g", node 4 If, graph "then", node 0 Add: output "x" is defined before (not SSA)',
    'graph "g": output "a" is listed twice',
    'graph "g": output "missing" is made by nothing',
  ]);
  const codes = checkModel(broken).map(({ code }) => code);
  assert.deepEqual(codes.slice(0, 3), ['ONNX_UNSUPPORTED', 'ONNX_UNSUPPORTED', 'ONNX_INVALID']);
});

test('bodies see the values around them, but not the other way round', () => {
  const then = graph({ name: 'then', nodes: [node('Neg', ['x'], ['inner'])], outputs: [value('inner')] });
  const nodes = [
    node('If', ['x'], ['y'], { then_branch: { type: 'graph', value: then } }),
    node('Relu', ['inner'], ['z']),
  ];
  assert.deepEqual(
    found(model({ inputs: [value('x', 'float32')], nodes, outputs: [value('y'), value('z')] })),
    ['graph "g", node 1 Relu: input "inner" is made by nothing'],
  );
});

test('old and empty models', () => {
  assert.deepEqual(found(model({}, { irVersion: 0, opsets: { '': 0 } })), [
    'model: IR version 0',
    'opset of domain "ai.onnx": version 0',
    'graph "g": it has no outputs',
  ]);
  // A sparse initializer that was damaged is reported, not thrown: field 15 with a truncated message.
  const damaged = { ...model({ outputs: [] }).graph, rest: Uint8Array.of(122, 2, 10, 9) };
  assert.match(
    found({ ...model({}), graph: damaged })[0] ?? '',
    /sparse_initializer\[0\]\.values: runs past/,
  );
});
