import { RetortError } from '../../errors.ts';
import { decodeTensor } from './decode-tensor.ts';
import { dtypeOfCode } from './dtype.ts';
import {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  StringStringEntryProto,
  TensorProto,
  TensorShapeProto,
  TensorShapeProtoDimension,
  TypeProto,
  TypeProtoTensor,
  ValueInfoProto,
} from './fields.gen.ts';
import type { Attribute, Dim, Graph, Model, Node, ValueInfo } from './model.ts';
import type { Tensor } from './tensor.ts';
import type { FieldName, MessageInfo } from './wire.ts';
import { WireReader } from './wire-reader.ts';

const MAX_FILE = 2 ** 31 - 1;

/**
 * Reads an ONNX file. ONNX_MALFORMED names the message and field that cannot be read; whether a readable model makes
 * sense is for `checkModel`. Tensor data are views of `bytes`. "ai.onnx" becomes '', its other spelling.
 */
export function decodeModel(bytes: Uint8Array): Model {
  if (bytes.length === 0) {
    throw new RetortError('ONNX_MALFORMED', 'the model file is empty', {
      hint: 'Export or upload it again.',
    });
  }
  if (bytes.length > MAX_FILE) {
    throw new RetortError(
      'ONNX_UNSUPPORTED',
      `the model file has ${bytes.length} bytes; ONNX files end at 2 GiB`,
      {
        hint: 'Export it with external data.',
      },
    );
  }
  const reader: WireReader<typeof ModelProto> = WireReader.open(bytes, ModelProto);
  const graph = reader.child('graph', GraphProto);
  if (!graph) reader.fail('missing', 'graph');
  const irVersion = reader.number('ir_version') ?? 0;
  const opsets = unique(
    reader,
    'opset_import',
    reader.each('opset_import', OperatorSetIdProto, (entry) => [
      toDomain(entry.string('domain')),
      entry.number('version') ?? 0,
    ]),
  );
  // Files older than operator sets mean the first one.
  const implied = irVersion < 3 && opsets.size === 0 ? [['', 1] as const] : opsets;
  const metadata = reader.each(
    'metadata_props',
    StringStringEntryProto,
    (entry) => [entry.string('key'), entry.text('value') ?? ''] as const,
  );
  return {
    irVersion,
    opsets: Object.fromEntries(implied),
    ...optional('producer', reader.text('producer_name')),
    ...optional('producerVersion', reader.text('producer_version')),
    ...optional('domain', reader.text('domain')),
    ...optional('modelVersion', reader.int('model_version')),
    ...(metadata.length ? { metadata: Object.fromEntries(metadata) } : {}),
    graph: decodeGraph(graph),
    ...docAndRest(reader),
  };
}

function decodeGraph(reader: WireReader<typeof GraphProto>): Graph {
  const valueInfo = reader.each('value_info', ValueInfoProto, decodeValueInfo);
  return {
    name: reader.string('name'),
    nodes: reader.each('node', NodeProto, decodeNode),
    initializers: unique(
      reader,
      'initializer',
      reader.each('initializer', TensorProto, (child) => [child.string('name'), decodeTensor(child, true)]),
    ),
    inputs: reader.each('input', ValueInfoProto, decodeValueInfo),
    outputs: reader.each('output', ValueInfoProto, decodeValueInfo),
    valueInfo: new Map(valueInfo.map((info) => [info.name, info])),
    ...docAndRest(reader),
  };
}

function decodeNode(reader: WireReader<typeof NodeProto>): Node {
  const attributes = reader.each('attribute', AttributeProto, (child): [string, Attribute] => [
    child.string('name'),
    decodeAttribute(child),
  ]);
  return {
    op: reader.string('op_type'),
    domain: toDomain(reader.string('domain')),
    name: reader.string('name'),
    inputs: reader.strings('input'),
    outputs: reader.strings('output'),
    attributes: Object.fromEntries(unique(reader, 'attribute', attributes)),
    ...docAndRest(reader),
  };
}

/** AttributeProto.AttributeType by number. */
const kinds = [
  undefined,
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
] as const;

/** The field that holds the value, in the order of `kinds`. */
const valueFields = ['f', 'i', 's', 't', 'g', 'floats', 'ints', 'strings', 'tensors', 'graphs'] as const;

function decodeAttribute(reader: WireReader<typeof AttributeProto>): Attribute {
  const value = attributeValue(reader);
  const { rest } = reader;
  return rest && value.type !== 'other' ? { ...value, rest } : value;
}

function attributeValue(reader: WireReader<typeof AttributeProto>): Attribute {
  const code = reader.number('type');
  // Before IR version 2 the type was implied by the field in use.
  const kind = code ? kinds[code] : kinds[1 + valueFields.findIndex((field) => reader.has(field))];
  const other: Attribute = { type: 'other', value: reader.whole };
  if (reader.has('ref_attr_name') || (!code && reader.rest)) return other;
  switch (kind) {
    case undefined:
      return other;
    case 'float':
      return { type: 'float', value: reader.float('f') ?? 0 };
    case 'int':
      return { type: 'int', value: reader.int('i') ?? 0n };
    case 'string':
      return { type: 'string', value: reader.bytes('s') ?? new Uint8Array() };
    case 'tensor': {
      const child = reader.child('t', TensorProto);
      return child ? { type: 'tensor', value: decodeTensor(child, false) } : other;
    }
    case 'graph': {
      const child = reader.child('g', GraphProto);
      return child ? { type: 'graph', value: decodeGraph(child) } : other;
    }
    case 'floats':
      return { type: 'floats', value: reader.floats('floats') };
    case 'ints':
      return { type: 'ints', value: reader.ints('ints') };
    case 'strings':
      return { type: 'strings', value: reader.bytesList('strings') };
    case 'tensors':
      return {
        type: 'tensors',
        value: reader.each('tensors', TensorProto, (child): Tensor => decodeTensor(child, false)),
      };
    case 'graphs':
      return { type: 'graphs', value: reader.each('graphs', GraphProto, decodeGraph) };
  }
}

function decodeValueInfo(reader: WireReader<typeof ValueInfoProto>): ValueInfo {
  const type = reader.child('type', TypeProto);
  return {
    name: reader.string('name'),
    ...(type ? decodeType(type) : { dtype: undefined, shape: undefined }),
    ...docAndRest(reader),
  };
}

type Type = Pick<ValueInfo, 'dtype' | 'shape' | 'otherType' | 'denotation' | 'dimDenotations'>;

/** A plain tensor type, or the bytes of anything else: other kinds, unknown element types, fields of later versions. */
function decodeType(reader: WireReader<typeof TypeProto>): Type {
  const other: Type = { dtype: undefined, shape: undefined, otherType: reader.whole };
  const type = reader.child('tensor_type', TypeProtoTensor);
  if (!type || reader.rest || type.rest) return other;
  const code = type.number('elem_type') ?? 0;
  const dtype = dtypeOfCode(code);
  if (code !== 0 && !dtype) return other;
  const shape = type.child('shape', TensorShapeProto);
  const dims = shape?.each('dim', TensorShapeProtoDimension, (dim) => ({
    value: decodeDim(dim),
    denotation: dim.string('denotation'),
    known: dim.rest === undefined,
  }));
  if (shape?.rest || dims?.some((dim) => !dim.known)) return other;
  return {
    dtype,
    shape: dims?.map((dim) => dim.value),
    ...optional('denotation', reader.text('denotation')),
    ...(dims?.some((dim) => dim.denotation) ? { dimDenotations: dims.map((dim) => dim.denotation) } : {}),
  };
}

/** A negative size, as some exporters write for "any", is unknown. */
function decodeDim(reader: WireReader<typeof TensorShapeProtoDimension>): Dim {
  const size = reader.number('dim_value');
  if (size === undefined) return reader.string('dim_param');
  return size < 0 ? '' : size;
}

const toDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

function docAndRest<M extends MessageInfo>(reader: WireReader<M>): { doc?: string; rest?: Uint8Array } {
  return {
    ...optional('doc', reader.text('doc_string' as FieldName<M>)),
    ...optional('rest', reader.rest),
  };
}

/** Entries as a map; a key that comes twice with different meanings makes the model ambiguous. */
function unique<M extends MessageInfo, V>(
  reader: WireReader<M>,
  field: FieldName<M>,
  entries: readonly (readonly [string, V])[],
): Map<string, V> {
  const map = new Map<string, V>();
  for (const [key, value] of entries) {
    if (map.has(key) && map.get(key) !== value) {
      throw new RetortError('ONNX_INVALID', `${reader.path}.${field}: "${key}" is defined twice`);
    }
    map.set(key, value);
  }
  return map;
}
