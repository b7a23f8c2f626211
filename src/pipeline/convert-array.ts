import type { NDArray } from '../core/ndarray.ts';
import { type DType, dtypes, type TypedArray } from '../core/onnx/dtype.ts';
import { bfloatToFloat, floatToHalf, halfToFloat, tensor, typedData } from '../core/onnx/tensor.ts';
import { RetortError } from '../errors.ts';

/** The same numbers in float32; shared where they already are. */
export function toFloat32(array: NDArray, name: string): Float32Array {
  const { data, dtype } = array;
  if (data instanceof Float32Array) return data;
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, halfToFloat);
  if (dtype === 'bfloat16') return Float32Array.from(data as Uint16Array, bfloatToFloat);
  if (dtype === 'string') throw new RetortError('DATA_MISMATCH', `"${name}" holds strings, not numbers`);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** The same numbers in another element type. */
export function convertArray(array: NDArray, dtype: DType): NDArray {
  if (array.dtype === dtype) return array;
  const numbers = array.data as TypedArray;
  if (dtype === 'float16' && numbers instanceof Float32Array) {
    return { dtype, dims: array.dims, data: Uint16Array.from(numbers, floatToHalf) };
  }
  if (!dtypes[dtype].array)
    throw new RetortError('ONNX_UNSUPPORTED', `cannot feed an input of type ${dtype}`);
  return { dtype, dims: array.dims, data: typedData(tensor(dtype, array.dims, numbers)) };
}
