/** Element types of ONNX tensors (TensorProto.DataType), by their ONNX names in lower case. */

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface DTypeInfo {
  /** TensorProto.DataType number. */
  readonly code: number;
  /** Bits per element as stored in raw_data; 0 for strings. */
  readonly bits: number;
  /** How elements are seen in JavaScript; float16 and bfloat16 as their bit patterns, bool as bytes. */
  readonly array: { new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray } | undefined;
}

export const dtypes = {
  float32: { code: 1, bits: 32, array: Float32Array },
  uint8: { code: 2, bits: 8, array: Uint8Array },
  int8: { code: 3, bits: 8, array: Int8Array },
  uint16: { code: 4, bits: 16, array: Uint16Array },
  int16: { code: 5, bits: 16, array: Int16Array },
  int32: { code: 6, bits: 32, array: Int32Array },
  int64: { code: 7, bits: 64, array: BigInt64Array },
  string: { code: 8, bits: 0, array: undefined },
  bool: { code: 9, bits: 8, array: Uint8Array },
  float16: { code: 10, bits: 16, array: Uint16Array },
  float64: { code: 11, bits: 64, array: Float64Array },
  uint32: { code: 12, bits: 32, array: Uint32Array },
  uint64: { code: 13, bits: 64, array: BigUint64Array },
  complex64: { code: 14, bits: 64, array: undefined },
  complex128: { code: 15, bits: 128, array: undefined },
  bfloat16: { code: 16, bits: 16, array: Uint16Array },
  float8e4m3fn: { code: 17, bits: 8, array: Uint8Array },
  float8e4m3fnuz: { code: 18, bits: 8, array: Uint8Array },
  float8e5m2: { code: 19, bits: 8, array: Uint8Array },
  float8e5m2fnuz: { code: 20, bits: 8, array: Uint8Array },
  uint4: { code: 21, bits: 4, array: undefined },
  int4: { code: 22, bits: 4, array: undefined },
  float4e2m1: { code: 23, bits: 4, array: undefined },
  float8e8m0: { code: 24, bits: 8, array: Uint8Array },
  uint2: { code: 25, bits: 2, array: undefined },
  int2: { code: 26, bits: 2, array: undefined },
} as const satisfies Record<string, DTypeInfo>;

export type DType = keyof typeof dtypes;

const byCode = new Map<number, DType>(
  Object.entries(dtypes).map(([name, info]) => [info.code, name as DType]),
);

/** The element type with this TensorProto.DataType number, or undefined if there is none. */
export const dtypeOfCode = (code: number): DType | undefined => byCode.get(code);

/** Bytes that `count` elements take in raw_data (sub-byte types are packed). */
export const byteLength = (dtype: DType, count: number): number =>
  Math.ceil((dtypes[dtype].bits * count) / 8);

export const isFloat = (dtype: DType | undefined): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
