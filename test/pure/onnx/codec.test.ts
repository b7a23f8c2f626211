import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkModel } from '../../../src/core/onnx/check.ts';
import { decodeModel } from '../../../src/core/onnx/decode.ts';
import { type DType, dtypes } from '../../../src/core/onnx/dtype.ts';
import { encodeModel } from '../../../src/core/onnx/encode.ts';
import type { Model } from '../../../src/core/onnx/model.ts';
import type { Tensor } from '../../../src/core/onnx/tensor.ts';
import { canonical, type Plain, witnessRead, witnessWrite } from '../../support/onnx-witness.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const file = (graph: Plain, model: Plain = {}) =>
  witnessWrite({ ir_version: 10, opset_import: [{ version: 18 }], graph: { name: 'g', ...graph }, ...model });

function sameAgain(written: Uint8Array): Model {
  const model = decodeModel(written);
  const again = encodeModel(model);
  assert.deepStrictEqual(decodeModel(again), model);
  assert.deepEqual(canonical(witnessRead(again)), canonical(witnessRead(written)));
  return model;
}

const body = {
  name: 'body',
  output: [{ name: 'o' }],
  node: [{ op_type: 'Identity', input: ['x'], output: ['o'] }],
};

test('everything ONNX has survives: what is read, and what is only kept', () => {
  const text = [{ key: 'k', value: 'v' }];
  const tensorType = (elem_type: number, ...dim: Plain[]) => ({ tensor_type: { elem_type, shape: { dim } } });
  const values = { name: 'sparse', data_type: 1, dims: [1], float_data: [1] };
  const attributes = [
    { name: 'f', type: 1, f: 0.5, doc_string: 'about f' },
    { name: 'i', type: 2, i: '-9223372036854775808' },
    { name: 's', type: 3, s: bytes(255, 0) },
    { name: 't', type: 4, t: { name: 'inner', data_type: 7, dims: [1], int64_data: ['-1'] } },
    { name: 'g', type: 5, g: body },
    { name: 'fs', type: 6, floats: [1, -2.5] },
    { name: 'is', type: 7, ints: [1, '-1', '9223372036854775807'] },
    { name: 'ss', type: 8, strings: [bytes(1), bytes()] },
    { name: 'ts', type: 9, tensors: [{ data_type: 9, dims: [2], int32_data: [1, 0] }] },
    { name: 'gs', type: 10, graphs: [body, body] },
    { name: 'sparse', type: 11, sparse_tensor: { values, dims: [5] } },
    { name: 'tp', type: 13, tp: { optional_type: { elem_type: tensorType(1) } } },
    { name: 'ref', type: 1, ref_attr_name: 'alpha' },
    { name: '__proto__', type: 2, i: 7 },
  ];
  const written = file(
    {
      doc_string: 'a graph',
      node: [
        {
          op_type: 'Anything',
          domain: 'my.domain',
          overload: 'v2',
          input: ['x', '', 'sparse'],
          output: ['y', ''],
          attribute: attributes,
          metadata_props: text,
          device_configurations: [{ configuration_id: 'c', pipeline_stage: 1 }],
        },
      ],
      initializer: [
        {
          name: 'far',
          data_type: 1,
          dims: [2],
          data_location: 1,
          external_data: [
            { key: 'location', value: 'w.bin' },
            { key: 'offset', value: '16' },
            { key: 'length', value: '8' },
            { key: 'checksum', value: 'abc' },
          ],
        },
        { name: 'text', data_type: 8, dims: [2], string_data: [bytes(104, 105), bytes(255)] },
        { name: 'chopped', data_type: 1, dims: [1], float_data: [3], segment: { begin: 0, end: 1 } },
      ],
      input: [
        {
          name: 'x',
          doc_string: 'pixels',
          metadata_props: text,
          type: {
            denotation: 'IMAGE',
            ...tensorType(1, { dim_param: 'N', denotation: 'DATA_BATCH' }, { dim_value: 3 }, {}),
          },
        },
      ],
      output: [
        { name: 'y', type: { map_type: { key_type: 7, value_type: tensorType(1) } } },
        { name: 'far', type: { tensor_type: { elem_type: 1 } } },
      ],
      value_info: [{ name: 'z', type: { sequence_type: { elem_type: tensorType(1) } } }],
      quantization_annotation: [{ tensor_name: 'x', quant_parameter_tensor_names: text }],
      sparse_initializer: [{ values, dims: [5] }],
      metadata_props: text,
    },
    {
      opset_import: [
        { domain: 'ai.onnx', version: 18 },
        { domain: 'my.domain', version: 3 },
      ],
      producer_name: 'p',
      producer_version: '1',
      domain: 'd',
      model_version: '-5',
      doc_string: 'docs',
      metadata_props: text,
      training_info: [{ initialization_binding: text }],
      functions: [{ name: 'F', domain: 'my.domain', node: [{ op_type: 'Relu' }], overload: 'v2' }],
      configuration: [{ name: 'c', num_devices: 2, device: ['a', 'b'] }],
    },
  );
  const model = sameAgain(written);
  assert.deepEqual(model.opsets, { '': 18, 'my.domain': 3 });
  assert.equal(model.modelVersion, -5n);
  const [input] = model.graph.inputs;
  assert.deepEqual(input?.shape, ['N', 3, '']);
  assert.deepEqual(input?.dimDenotations, ['DATA_BATCH', '', '']);
  const far = model.graph.initializers.get('far');
  assert.deepEqual(far?.external, { location: 'w.bin', offset: 16, length: 8 });
  const { attributes: found } = model.graph.nodes[0]!;
  assert.deepEqual(
    Object.entries(found).map(([name, { type }]) => `${name} ${type}`),
    // biome-ignore format: one list
    ['f float', 'i int', 's string', 't tensor', 'g graph', 'fs floats', 'is ints', 'ss strings', 'ts tensors',
      'gs graphs', 'sparse other', 'tp other', 'ref other', '__proto__ int'],
  );
  assert.deepEqual(checkModel(model), []);
});

test('fields of a later ONNX are kept, wherever they stand', () => {
  // Field 999 of wire types 0, 1, 2 and 5: tag 999 << 3 | type as a varint of two bytes.
  const later = [
    bytes(0xb8, 0x3e, 0x07),
    bytes(0xb9, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8),
    bytes(0xba, 0x3e, 2, 9, 9),
    bytes(0xbd, 0x3e, 1, 2, 3, 4),
  ];
  const plain = encodeModel(decodeModel(file(body)));
  const extended = Buffer.concat([later[0]!, plain, ...later.slice(1)]);
  const model = decodeModel(extended);
  assert.deepEqual(model.rest, new Uint8Array(Buffer.concat(later)));
  const graph = { ...model.graph, rest: later[2]! };
  const node = { ...graph.nodes[0]!, rest: later[3]! };
  const deep = { ...model, graph: { ...graph, nodes: [node] } };
  assert.deepStrictEqual(decodeModel(encodeModel(deep)), deep);
});

const typed: Readonly<
  Record<string, readonly [field: string, values: (number | string)[], bytes: number[]]>
> = {
  float32: ['float_data', [1], [0, 0, 0x80, 0x3f]],
  uint8: ['int32_data', [255], [255]],
  int8: ['int32_data', [-1], [255]],
  uint16: ['int32_data', [65534], [254, 255]],
  int16: ['int32_data', [-2], [254, 255]],
  int32: ['int32_data', [-2], [254, 255, 255, 255]],
  int64: ['int64_data', ['-2'], [254, 255, 255, 255, 255, 255, 255, 255]],
  bool: ['int32_data', [1], [1]],
  float16: ['int32_data', [0x3c00], [0, 0x3c]],
  float64: ['double_data', [1], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]],
  uint32: ['uint64_data', ['4294967295'], [255, 255, 255, 255]],
  uint64: ['uint64_data', ['18446744073709551615'], [255, 255, 255, 255, 255, 255, 255, 255]],
  complex64: ['float_data', [1, 0], [0, 0, 0x80, 0x3f, 0, 0, 0, 0]],
  bfloat16: ['int32_data', [0x3f80], [0x80, 0x3f]],
  float8e4m3fn: ['int32_data', [0x38], [0x38]],
  int4: ['int32_data', [0xf1], [0xf1]],
};

test('typed data of every element type become little-endian bytes, packed or not', () => {
  for (const [dtype, [field, values, expected]] of Object.entries(typed)) {
    const info = dtypes[dtype as DType];
    const graph = { initializer: [{ name: 'w', data_type: info.code, dims: [], [field]: values }] };
    const model = decodeModel(file(graph));
    assert.deepEqual([...model.graph.initializers.get('w')!.bytes], expected, dtype);
    assert.equal(model.graph.initializers.get('w')!.dtype, dtype);
    assert.deepStrictEqual(decodeModel(encodeModel(model)), model);
  }
  // dims 8, int32_data 7 and 300 each behind its own tag.
  const unpacked = bytes(8, 2, 16, 6, 40, 7, 40, 0xac, 2, 66, 1, 119);
  const one = decodeModel(modelWith(unpacked)).graph.initializers.get('w');
  assert.deepEqual([...one!.bytes], [7, 0, 0, 0, 44, 1, 0, 0]);
  // float_data 1 unpacked, then a packed pair.
  const mixed = bytes(8, 3, 16, 1, 37, 0, 0, 0x80, 0x3f, 34, 8, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 66, 1, 119);
  const two = decodeModel(modelWith(mixed)).graph.initializers.get('w');
  assert.deepEqual([...new Float32Array(two!.bytes.slice().buffer)], [1, 2, 3]);
});

/** IR 8, a graph with one initializer of these wire bytes. */
function modelWith(initializer: Uint8Array): Uint8Array {
  return bytes(8, 8, 58, initializer.length + 2, 42, initializer.length, ...initializer);
}

test('raw data are views of the file, also of a Node Buffer, and are never copied', () => {
  const graph = { initializer: [{ name: 'w', data_type: 2, dims: [3], raw_data: bytes(1, 2, 3) }] };
  const written = Buffer.concat([bytes(8, 8), file(graph)]).subarray(2);
  const value = decodeModel(written).graph.initializers.get('w') as Tensor;
  assert.equal(value.bytes.buffer, written.buffer);
  assert.equal(value.bytes.constructor, Uint8Array);
  assert.deepEqual([...value.bytes], [1, 2, 3]);
});

test('files from before attribute types and operator sets are read', () => {
  const attribute = [{ name: 'i', i: 3 }, { name: 'fs', floats: [1] }, { name: 'nothing' }];
  const node = [{ op_type: 'Old', output: ['o'], attribute }];
  const model = decodeModel(file({ node }, { ir_version: 1, opset_import: [] }));
  assert.deepEqual(model.opsets, { '': 1 });
  const found = model.graph.nodes[0]!.attributes;
  assert.deepEqual(found.i, { type: 'int', value: 3n });
  assert.deepEqual(found.fs, { type: 'floats', value: [1] });
  assert.equal(found.nothing?.type, 'other');
  assert.deepStrictEqual(decodeModel(encodeModel(model)), model);
});
