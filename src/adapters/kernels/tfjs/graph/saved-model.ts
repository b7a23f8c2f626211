import { WireWriter } from '../../../../core/onnx/wire-writer.ts';
import type { Addon, OpAttribute } from '../native/addon.ts';
import type { RecordedNode } from './recording.ts';

/** The tag that TensorFlow's tools give a model to be run, and the one it is loaded by. */
export const TAG = 'serve';

/** The version of the graph format (TF_GRAPH_DEF_VERSION of TensorFlow 2.9), of which operators are judged deprecated. */
const PRODUCER = 1087;

/**
 * The fields that are written of TensorFlow's messages, by the names and numbers of its .proto files
 * (tensorflow/core/protobuf/saved_model.proto and meta_graph.proto, tensorflow/core/framework/graph.proto,
 * node_def.proto, attr_value.proto, tensor.proto, tensor_shape.proto, versions.proto).
 */
const SavedModel = {
  message: 'SavedModel',
  fields: {
    saved_model_schema_version: { number: 1, type: 'int64' },
    meta_graphs: { number: 2, type: 'message', repeated: true },
  },
} as const;
const MetaGraphDef = {
  message: 'MetaGraphDef',
  fields: { meta_info_def: { number: 1, type: 'message' }, graph_def: { number: 2, type: 'message' } },
} as const;
const MetaInfoDef = {
  message: 'MetaGraphDef.MetaInfoDef',
  fields: { tags: { number: 4, type: 'string', repeated: true } },
} as const;
const GraphDef = {
  message: 'GraphDef',
  fields: {
    node: { number: 1, type: 'message', repeated: true },
    versions: { number: 4, type: 'message' },
  },
} as const;
const VersionDef = { message: 'VersionDef', fields: { producer: { number: 1, type: 'int32' } } } as const;
const NodeDef = {
  message: 'NodeDef',
  fields: {
    name: { number: 1, type: 'string' },
    op: { number: 2, type: 'string' },
    input: { number: 3, type: 'string', repeated: true },
    attr: { number: 5, type: 'message', repeated: true },
  },
} as const;
const AttrEntry = {
  message: 'NodeDef.AttrEntry',
  fields: { key: { number: 1, type: 'string' }, value: { number: 2, type: 'message' } },
} as const;
/** Of AttrValue and of its ListValue, which number alike. */
const values = {
  s: { number: 2, type: 'string' },
  i: { number: 3, type: 'int64' },
  f: { number: 4, type: 'float' },
  b: { number: 5, type: 'int32' },
  type: { number: 6, type: 'int32' },
  shape: { number: 7, type: 'message' },
  tensor: { number: 8, type: 'message' },
} as const;
const ListValue = { message: 'AttrValue.ListValue', fields: values } as const;
const AttrValue = {
  message: 'AttrValue',
  fields: { list: { number: 1, type: 'message' }, ...values },
} as const;
const TensorShapeProto = {
  message: 'TensorShapeProto',
  fields: { dim: { number: 2, type: 'message', repeated: true } },
} as const;
const Dim = { message: 'TensorShapeProto.Dim', fields: { size: { number: 1, type: 'int64' } } } as const;
const TensorProto = {
  message: 'TensorProto',
  fields: {
    dtype: { number: 1, type: 'int32' },
    tensor_shape: { number: 2, type: 'message' },
    tensor_content: { number: 4, type: 'bytes' },
  },
} as const;

/** The file saved_model.pb of a model that is this graph and nothing else. */
export function savedModel(nodes: readonly RecordedNode[], addon: Addon): Uint8Array {
  const graph = new WireWriter(GraphDef);
  for (const node of nodes) graph.message('node', nodeDef(node, addon));
  graph.message('versions', new WireWriter(VersionDef).int('producer', PRODUCER));
  const meta = new WireWriter(MetaGraphDef)
    .message('meta_info_def', new WireWriter(MetaInfoDef).string('tags', TAG))
    .message('graph_def', graph);
  return new WireWriter(SavedModel)
    .int('saved_model_schema_version', 1)
    .message('meta_graphs', meta)
    .finish();
}

function nodeDef(node: RecordedNode, addon: Addon) {
  const made = new WireWriter(NodeDef).string('name', node.name);
  const attr = (key: string, value: WireWriter<typeof AttrValue>) =>
    made.message('attr', new WireWriter(AttrEntry).string('key', key).message('value', value));
  if (node.kind === 'operation') {
    made.string('op', node.op).strings('input', node.inputs);
    for (const attribute of node.attributes) attr(attribute.name, attrValue(attribute, addon));
    return made;
  }
  made.string('op', node.kind === 'constant' ? 'Const' : 'Placeholder');
  attr('dtype', new WireWriter(AttrValue).int('type', node.dtype));
  if (node.kind === 'placeholder') {
    return attr('shape', new WireWriter(AttrValue).message('shape', tensorShape(node.shape)));
  }
  const { buffer, byteOffset, byteLength } = node.values;
  const tensor = new WireWriter(TensorProto)
    .int('dtype', node.dtype)
    .message('tensor_shape', tensorShape(node.shape))
    .bytes('tensor_content', new Uint8Array(buffer, byteOffset, byteLength));
  return attr('value', new WireWriter(AttrValue).message('tensor', tensor));
}

function attrValue({ type, value }: OpAttribute, addon: Addon) {
  const made = new WireWriter(AttrValue);
  if (type === addon.TF_ATTR_SHAPE) return made.message('shape', tensorShape(value as number[]));
  if (!Array.isArray(value)) return put(made, type, value, addon);
  const list = new WireWriter(ListValue);
  for (const each of value) put(list, type, each, addon);
  return made.message('list', list);
}

function put<W extends WireWriter<typeof AttrValue> | WireWriter<typeof ListValue>>(
  made: W,
  type: number,
  value: unknown,
  addon: Addon,
): W {
  if (type === addon.TF_ATTR_STRING) made.string('s', value as string);
  else if (type === addon.TF_ATTR_INT) made.int('i', value as number);
  else if (type === addon.TF_ATTR_FLOAT) made.float('f', value as number);
  else if (type === addon.TF_ATTR_BOOL) made.int('b', Number(value));
  else made.int('type', value as number);
  return made;
}

function tensorShape(shape: readonly number[]) {
  const made = new WireWriter(TensorShapeProto);
  for (const size of shape) made.message('dim', new WireWriter(Dim).int('size', size));
  return made;
}
