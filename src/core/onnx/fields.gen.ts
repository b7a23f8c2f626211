// Made by scripts/gen-onnx-fields.ts from proto/onnx.proto. Do not edit: run `npm run gen`.

export const ModelProto = {
  message: 'ModelProto',
  fields: {
    ir_version: { number: 1, type: 'int64' },
    producer_name: { number: 2, type: 'string' },
    producer_version: { number: 3, type: 'string' },
    domain: { number: 4, type: 'string' },
    model_version: { number: 5, type: 'int64' },
    doc_string: { number: 6, type: 'string' },
    graph: { number: 7, type: 'message' },
    opset_import: { number: 8, type: 'message', repeated: true },
    metadata_props: { number: 14, type: 'message', repeated: true },
  },
} as const;

export const OperatorSetIdProto = {
  message: 'OperatorSetIdProto',
  fields: {
    domain: { number: 1, type: 'string' },
    version: { number: 2, type: 'int64' },
  },
} as const;

export const StringStringEntryProto = {
  message: 'StringStringEntryProto',
  fields: {
    key: { number: 1, type: 'string' },
    value: { number: 2, type: 'string' },
  },
} as const;

export const GraphProto = {
  message: 'GraphProto',
  fields: {
    node: { number: 1, type: 'message', repeated: true },
    name: { number: 2, type: 'string' },
    initializer: { number: 5, type: 'message', repeated: true },
    doc_string: { number: 10, type: 'string' },
    input: { number: 11, type: 'message', repeated: true },
    output: { number: 12, type: 'message', repeated: true },
    value_info: { number: 13, type: 'message', repeated: true },
  },
} as const;

export const NodeProto = {
  message: 'NodeProto',
  fields: {
    input: { number: 1, type: 'string', repeated: true },
    output: { number: 2, type: 'string', repeated: true },
    name: { number: 3, type: 'string' },
    op_type: { number: 4, type: 'string' },
    attribute: { number: 5, type: 'message', repeated: true },
    doc_string: { number: 6, type: 'string' },
    domain: { number: 7, type: 'string' },
  },
} as const;

export const AttributeProto = {
  message: 'AttributeProto',
  fields: {
    name: { number: 1, type: 'string' },
    f: { number: 2, type: 'float' },
    i: { number: 3, type: 'int64' },
    s: { number: 4, type: 'bytes' },
    t: { number: 5, type: 'message' },
    g: { number: 6, type: 'message' },
    floats: { number: 7, type: 'float', repeated: true },
    ints: { number: 8, type: 'int64', repeated: true },
    strings: { number: 9, type: 'bytes', repeated: true },
    tensors: { number: 10, type: 'message', repeated: true },
    graphs: { number: 11, type: 'message', repeated: true },
    type: { number: 20, type: 'int32' },
    ref_attr_name: { number: 21, type: 'string' },
  },
} as const;

export const TensorProto = {
  message: 'TensorProto',
  fields: {
    dims: { number: 1, type: 'int64', repeated: true },
    data_type: { number: 2, type: 'int32' },
    float_data: { number: 4, type: 'float', repeated: true },
    int32_data: { number: 5, type: 'int32', repeated: true },
    string_data: { number: 6, type: 'bytes', repeated: true },
    int64_data: { number: 7, type: 'int64', repeated: true },
    name: { number: 8, type: 'string' },
    raw_data: { number: 9, type: 'bytes' },
    double_data: { number: 10, type: 'double', repeated: true },
    uint64_data: { number: 11, type: 'uint64', repeated: true },
    doc_string: { number: 12, type: 'string' },
    external_data: { number: 13, type: 'message', repeated: true },
    data_location: { number: 14, type: 'int32' },
  },
} as const;

export const ValueInfoProto = {
  message: 'ValueInfoProto',
  fields: {
    name: { number: 1, type: 'string' },
    type: { number: 2, type: 'message' },
    doc_string: { number: 3, type: 'string' },
  },
} as const;

export const TypeProto = {
  message: 'TypeProto',
  fields: {
    tensor_type: { number: 1, type: 'message' },
    denotation: { number: 6, type: 'string' },
  },
} as const;

export const TypeProtoTensor = {
  message: 'TypeProto.Tensor',
  fields: {
    elem_type: { number: 1, type: 'int32' },
    shape: { number: 2, type: 'message' },
  },
} as const;

export const TensorShapeProto = {
  message: 'TensorShapeProto',
  fields: {
    dim: { number: 1, type: 'message', repeated: true },
  },
} as const;

export const TensorShapeProtoDimension = {
  message: 'TensorShapeProto.Dimension',
  fields: {
    dim_value: { number: 1, type: 'int64' },
    dim_param: { number: 2, type: 'string' },
    denotation: { number: 3, type: 'string' },
  },
} as const;

export const GraphProtoKept = {
  message: 'GraphProto',
  fields: {
    sparse_initializer: { number: 15, type: 'message', repeated: true },
  },
} as const;

export const SparseTensorProtoKept = {
  message: 'SparseTensorProto',
  fields: {
    values: { number: 1, type: 'message' },
  },
} as const;
