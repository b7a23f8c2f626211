import assert from 'node:assert/strict';
import { test } from 'node:test';
import { externalLocations, resolveExternalData } from '../../../src/core/onnx/external-data.ts';
import type { Graph, Model } from '../../../src/core/onnx/model.ts';
import { type ExternalData, type Tensor, typedData } from '../../../src/core/onnx/tensor.ts';
import type { RetortError } from '../../../src/errors.ts';

const far = (location: string, place: Partial<ExternalData> = {}): Tensor => ({
  dtype: 'float32',
  dims: [2],
  bytes: new Uint8Array(),
  external: { location, offset: 0, ...place },
});

function model(initializers: Record<string, Tensor>, constant: Tensor = far('w.bin')): Model {
  const empty = { initializers: new Map(), inputs: [], outputs: [], valueInfo: new Map() };
  const node = (op: string, attributes: Graph['nodes'][number]['attributes']) => ({
    op,
    domain: '',
    name: 'n',
    inputs: [],
    outputs: ['o'],
    attributes,
  });
  const body = {
    ...empty,
    name: 'b',
    nodes: [node('Constant', { value: { type: 'tensor', value: constant } })],
  };
  const nodes = [node('If', { then_branch: { type: 'graph', value: body } })];
  const graph = { ...empty, name: 'g', nodes, initializers: new Map(Object.entries(initializers)) };
  return { irVersion: 8, opsets: { '': 18 }, graph };
}

const file = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
const files = new Map([
  ['w.bin', file],
  ['sub/w.bin', file],
]);

test('external tensors become views of the given files, in bodies too', () => {
  const before = model({
    a: far('w.bin', { offset: 8, length: 8 }),
    b: far('./sub/w.bin'),
    c: { dtype: 'float32', dims: [], bytes: new Uint8Array(4) },
  });
  assert.deepEqual(externalLocations(before), ['w.bin', './sub/w.bin']);
  const after = resolveExternalData(before, files).graph;
  const a = after.initializers.get('a')!;
  assert.deepEqual(typedData(a), new Float32Array([3, 4]));
  assert.equal(a.bytes.buffer, file.buffer);
  assert.equal(a.external, undefined);
  assert.deepEqual(typedData(after.initializers.get('b')!), new Float32Array([1, 2]));
  const branch = after.nodes[0]!.attributes.then_branch as { value: Graph };
  const { value } = branch.value.nodes[0]!.attributes.value as { value: Tensor };
  assert.deepEqual(typedData(value), new Float32Array([1, 2]));
});

test('a model without external data is returned as it is', () => {
  const plain = model({}, { dtype: 'float32', dims: [], bytes: new Uint8Array(4) });
  assert.equal(resolveExternalData(plain, new Map()), plain);
});

test('everything that is wrong is listed', () => {
  const broken = model({
    up: far('../secret'),
    root: far('/etc/passwd'),
    deep: far('a/../../b'),
    drive: far('C:\\w.bin'),
    nul: far('w.bin\0x'),
    nothing: far(''),
    gone: far('gone.bin'),
    short: far('w.bin', { offset: 12 }),
    odd: far('w.bin', { length: 4 }),
    huge: { ...far('w.bin'), dims: [2 ** 60] },
  });
  assert.throws(
    () => resolveExternalData(broken, files),
    (error: RetortError) => {
      assert.equal(error.code, 'ONNX_EXTERNAL_DATA');
      assert.match(
        error.message,
        /^initializer "up": external file "\.\.\/secret" lies outside .* \(and 9 more\)$/,
      );
      assert.deepEqual(
        error.problems.map((text) => /outside|missing|short|names 4/.exec(text)?.[0]),
        [
          'outside',
          'outside',
          'outside',
          'outside',
          'outside',
          'outside',
          'missing',
          'short',
          'names 4',
          'short',
        ],
      );
      return true;
    },
  );
});
