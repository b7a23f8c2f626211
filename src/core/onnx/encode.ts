import { dtypes } from './dtype.ts';
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
import type { Attribute, Graph, Model, Node, ValueInfo } from './model.ts';
import type { Tensor } from './tensor.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * Writes an ONNX file: canonical for its model (fields in number order, tensors as raw data). What was kept as wire bytes
 * goes first in its message, so that what we know wins where a field stands twice.
 */
export function encodeModel(model: Model): Uint8Array {
  const writer = new WireWriter(ModelProto)
    .raw(model.rest)
    .int('ir_version', model.irVersion)
    .string('producer_name', model.producer)
    .string('producer_version', model.producerVersion)
    .string('domain', model.domain)
    .int('model_version', model.modelVersion)
    .string('doc_string', model.doc)
    .message('graph', encodeGraph(model.graph));
  for (const [domain, version] of Object.entries(model.opsets)) {
    const entry = new WireWriter(OperatorSetIdProto)
      .string('domain', domain || undefined)
      .int('version', version);
    writer.message('opset_import', entry);
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    writer.message('metadata_props', encodeEntry(key, value));
  }
  return writer.finish();
}

function encodeGraph(graph: Graph): WireWriter<typeof GraphProto> {
  const writer = new WireWriter(GraphProto).raw(graph.rest);
  for (const node of graph.nodes) writer.message('node', encodeNode(node));
  writer.string('name', graph.name);
  for (const [name, value] of graph.initializers) writer.message('initializer', encodeTensor(value, name));
  writer.string('doc_string', graph.doc);
  for (const input of graph.inputs) writer.message('input', encodeValueInfo(input));
  for (const output of graph.outputs) writer.message('output', encodeValueInfo(output));
  for (const info of graph.valueInfo.values()) writer.message('value_info', encodeValueInfo(info));
  return writer;
}

function encodeNode(node: Node): WireWriter<typeof NodeProto> {
  const writer = new WireWriter(NodeProto)
    .raw(node.rest)
    .strings('input', node.inputs)
    .strings('output', node.outputs)
    .string('name', node.name || undefined)
    .string('op_type', node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message('attribute', encodeAttribute(name, attribute));
  }
  return writer.string('doc_string', node.doc).string('domain', node.domain || undefined);
}

function encodeAttribute(name: string, attribute: Attribute): WireWriter<typeof AttributeProto> {
  const writer = new WireWriter(AttributeProto);
  if (attribute.type === 'other') return writer.raw(attribute.value);
  writer.raw(attribute.rest).string('name', name);
  switch (attribute.type) {
    case 'float':
      return writer.float('f', attribute.value).int('type', 1);
    case 'int':
      return writer.int('i', attribute.value).int('type', 2);
    case 'string':
      return writer.bytes('s', attribute.value).int('type', 3);
    case 'tensor':
      return writer.message('t', encodeTensor(attribute.value)).int('type', 4);
    case 'graph':
      return writer.message('g', encodeGraph(attribute.value)).int('type', 5);
    case 'floats':
      for (const value of attribute.value) writer.float('floats', value);
      return writer.int('type', 6);
    case 'ints':
      for (const value of attribute.value) writer.int('ints', value);
      return writer.int('type', 7);
    case 'strings':
      for (const value of attribute.value) writer.bytes('strings', value);
      return writer.int('type', 8);
    case 'tensors':
      for (const value of attribute.value) writer.message('tensors', encodeTensor(value));
      return writer.int('type', 9);
    case 'graphs':
      for (const value of attribute.value) writer.message('graphs', encodeGraph(value));
      return writer.int('type', 10);
  }
}

function encodeTensor(value: Tensor, name?: string): WireWriter<typeof TensorProto> {
  const writer = new WireWriter(TensorProto).raw(value.rest);
  for (const dim of value.dims) writer.int('dims', dim);
  writer.int('data_type', dtypes[value.dtype].code);
  for (const element of value.strings ?? []) writer.bytes('string_data', element);
  writer.string('name', name);
  if (value.dtype !== 'string' && !value.external) writer.bytes('raw_data', value.bytes);
  writer.string('doc_string', value.doc);
  if (value.external) {
    const { location, offset, length } = value.external;
    writer.message('external_data', encodeEntry('location', location));
    if (offset !== 0) writer.message('external_data', encodeEntry('offset', String(offset)));
    if (length !== undefined) writer.message('external_data', encodeEntry('length', String(length)));
    writer.int('data_location', 1);
  }
  return writer;
}

function encodeValueInfo(info: ValueInfo): WireWriter<typeof ValueInfoProto> {
  const writer = new WireWriter(ValueInfoProto).raw(info.rest).string('name', info.name);
  if (info.otherType) writer.bytes('type', info.otherType);
  else writer.message('type', encodeType(info));
  return writer.string('doc_string', info.doc);
}

function encodeType({ dtype, shape, denotation, dimDenotations }: ValueInfo) {
  if (!dtype && !shape && denotation === undefined) return undefined;
  const type = new WireWriter(TypeProtoTensor);
  if (dtype) type.int('elem_type', dtypes[dtype].code);
  if (shape) {
    const dims = new WireWriter(TensorShapeProto);
    shape.forEach((dim, i) => {
      const writer = new WireWriter(TensorShapeProtoDimension);
      if (typeof dim === 'number') writer.int('dim_value', dim);
      else writer.string('dim_param', dim || undefined);
      dims.message('dim', writer.string('denotation', dimDenotations?.[i] || undefined));
    });
    type.message('shape', dims);
  }
  return new WireWriter(TypeProto).message('tensor_type', type).string('denotation', denotation);
}

const encodeEntry = (key: string, value: string) =>
  new WireWriter(StringStringEntryProto).string('key', key).string('value', value);
