import type { DType, TypedArray } from './onnx/dtype.ts';

/**
 * A value at run time: what sessions and kernels are fed and return. Row-major.
 * bool as bytes, float16 as bit patterns, strings as a list.
 */
export interface NDArray {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TypedArray | readonly string[];
}
