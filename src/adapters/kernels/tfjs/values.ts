import * as tf from '@tensorflow/tfjs-core';
import type { NDArray } from '../../../core/ndarray.ts';
import type { DType, TypedArray } from '../../../core/onnx/dtype.ts';
import { halfToFloat, type Tensor, tensorOf, typedData } from '../../../core/onnx/tensor.ts';
import { RetortError } from '../../../errors.ts';

/** tfjs has three element types for numbers: float32, int32 and bool. Everything else must fit one of them. */

type TfType = 'float32' | 'int32' | 'bool';

const types: Partial<Record<DType, TfType>> = {
  bool: 'bool',
  float16: 'float32',
  float32: 'float32',
  int16: 'int32',
  int32: 'int32',
  int64: 'int32',
  int8: 'int32',
  uint16: 'int32',
  uint32: 'int32',
  uint64: 'int32',
  uint8: 'int32',
};

/** The tfjs element type of an ONNX one; TRAIN_UNSUPPORTED where there is none. */
export function tfType(dtype: DType, what: string): TfType {
  const type = types[dtype];
  if (type) return type;
  throw new RetortError('TRAIN_UNSUPPORTED', `${what} is ${dtype}, which tfjs does not have`, {
    hint: 'Use the onnxruntime kernel, or float32.',
  });
}

/** Host data as a tfjs tensor, without a copy where element types agree. `what` names it in errors. */
export function toTf(value: NDArray, what: string): tf.Tensor {
  const type = tfType(value.dtype, what);
  return tf.tensor(converted(value.data as TypedArray, value.dtype, what), [...value.dims], type);
}

export const onnxToTf = (value: Tensor, what: string): tf.Tensor =>
  toTf({ dtype: value.dtype, dims: value.dims, data: typedData(value) }, what);

/** A tfjs tensor as an ONNX one of the given element type. */
export function toOnnx(value: tf.Tensor, dtype: DType): Tensor {
  const data = value.dataSync();
  if (dtype === 'float32') return tensorOf(dtype, value.shape, Float32Array.from(data));
  if (dtype === 'int64') return tensorOf(dtype, value.shape, BigInt64Array.from(data as Int32Array, BigInt));
  if (dtype === 'bool') return tensorOf(dtype, value.shape, Uint8Array.from(data));
  return tensorOf(dtype, value.shape, Int32Array.from(data));
}

function converted(data: TypedArray, dtype: DType, what: string): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, halfToFloat);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Int32Array.from(data as BigInt64Array, (value) => narrow(Number(value), what));
  }
  if (data instanceof Uint32Array) return Int32Array.from(data, (value) => narrow(value, what));
  const direct = data instanceof Float32Array || data instanceof Int32Array || dtype === 'bool';
  return direct ? (data as Float32Array) : Int32Array.from(data as Int8Array);
}

function narrow(value: number, what: string): number {
  if (value === (value | 0)) return value;
  throw new RetortError('TRAIN_UNSUPPORTED', `${what} holds ${value}, which does not fit int32`, {
    hint: 'tfjs has no int64; use the onnxruntime kernel.',
  });
}
