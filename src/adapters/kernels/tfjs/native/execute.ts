import * as tf from '@tensorflow/tfjs-core';

/** The value of an attribute of a TensorFlow operation, with what tells its type where the value does not. */
export type Attribute =
  | boolean
  | string
  | { readonly int: number | readonly number[] }
  | { readonly float: number };

export type Attributes = Readonly<Record<string, Attribute>>;

/** What of tfjs-node's backend is used; it runs any operation of libtensorflow, also those tfjs has no name for. */
interface NodeBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeMultipleOutputs(
    name: string,
    attributes: readonly { name: string; type: number; value: unknown }[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}

/** Runs a TensorFlow operation on float32 inputs, off the tape. Its outputs belong to the scope of the caller. */
export function executeAll(
  op: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Attributes,
  outputs: number,
): tf.Tensor[] {
  const backend = tf.backend() as unknown as NodeBackend;
  const { binding } = backend;
  const typed = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'boolean') return { name, type: binding.TF_ATTR_BOOL!, value };
    if (typeof value === 'string') return { name, type: binding.TF_ATTR_STRING!, value };
    if ('int' in value) return { name, type: binding.TF_ATTR_INT!, value: value.int };
    return { name, type: binding.TF_ATTR_FLOAT!, value: value.float };
  });
  const type = { name: 'T', type: binding.TF_ATTR_TYPE!, value: binding.TF_FLOAT! };
  return backend.executeMultipleOutputs(op, [type, ...typed], inputs, outputs);
}

/** The same for an operation of one output. */
export const execute = (
  op: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Attributes = {},
): tf.Tensor => executeAll(op, inputs, attributes, 1)[0]!;

/** A shape as the int32 vector that operations take it as. */
export const shapeTensor = (shape: readonly number[]): tf.Tensor1D => tf.tensor1d([...shape], 'int32');
