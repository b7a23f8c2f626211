import * as tf from '@tensorflow/tfjs-core';
import { nodeBackend } from './addon.ts';

/** The value of an attribute of a TensorFlow operation, with what tells its type where the value does not. */
export type Attribute =
  | boolean
  | string
  | { readonly int: number | readonly number[] }
  | { readonly float: number }
  | { readonly dtype: 'float32' | 'int32' | 'bool' };

export type Attributes = Readonly<Record<string, Attribute>>;

/** Runs a TensorFlow operation on float32 inputs, off the tape. Its outputs belong to the scope of the caller. */
export const executeAll = (
  op: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Attributes,
  outputs: number,
): tf.Tensor[] => executeTyped(op, inputs, { T: { dtype: 'float32' }, ...attributes }, outputs);

/** The same for an operation whose attributes name the types of its inputs. */
export function executeTyped(
  op: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Attributes,
  outputs: number,
): tf.Tensor[] {
  const backend = nodeBackend();
  const { binding } = backend;
  const types = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, bool: binding.TF_BOOL };
  const typed = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'boolean') return { name, type: binding.TF_ATTR_BOOL, value };
    if (typeof value === 'string') return { name, type: binding.TF_ATTR_STRING, value };
    if ('int' in value) return { name, type: binding.TF_ATTR_INT, value: value.int };
    if ('float' in value) return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
    return { name, type: binding.TF_ATTR_TYPE, value: types[value.dtype] };
  });
  return backend.executeMultipleOutputs(op, typed, inputs, outputs);
}

/** The same for an operation of one output. */
export const execute = (
  op: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Attributes = {},
): tf.Tensor => executeAll(op, inputs, attributes, 1)[0]!;

/** A shape as the int32 vector that operations take it as. */
export const shapeTensor = (shape: readonly number[]): tf.Tensor1D => tf.tensor1d([...shape], 'int32');
