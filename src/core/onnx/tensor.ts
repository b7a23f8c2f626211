import { RetortError } from '../../errors.ts';
import { byteLength, type DType, dtypes, type TypedArray } from './dtype.ts';

/**
 * A constant tensor as ONNX holds it: little-endian bytes (TensorProto.raw_data), row-major.
 * Bytes are views of the file they came from and are never copied; do not write to them.
 */
export interface Tensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Little-endian elements; empty when the data are strings or external. */
  readonly bytes: Uint8Array;
  /** Elements of a string tensor, UTF-8. */
  readonly strings?: readonly Uint8Array[];
  /** Where the data lie when they are not in the model file and have not been loaded. */
  readonly external?: ExternalData;
  readonly doc?: string;
  /** Wire bytes of TensorProto fields that we do not interpret. */
  readonly rest?: Uint8Array;
}

export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  /** Bytes; undefined means up to the end of the file. */
  readonly length?: number;
}

/** Number of elements of these dimensions (1 for a scalar). */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** A tensor over the given numbers, converted to `dtype`. Throws INTERNAL if the count does not fit the dimensions. */
export function tensor(dtype: DType, dims: readonly number[], values: ArrayLike<number | bigint>): Tensor {
  const Ctor = dtypes[dtype].array;
  if (!Ctor) throw new RetortError('ONNX_UNSUPPORTED', `no JavaScript view for element type ${dtype}`);
  const count = sizeOf(dims);
  if (values.length !== count) {
    throw new RetortError('INTERNAL', `${values.length} values for shape [${dims.join(', ')}] (${count})`);
  }
  const data = new Ctor(new ArrayBuffer(byteLength(dtype, count)), 0, count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < count; i++) data[i] = BigInt(values[i]!);
  } else if (dtype === 'float16' || dtype === 'bfloat16') {
    const encode = dtype === 'float16' ? floatToHalf : floatToBfloat;
    for (let i = 0; i < count; i++) data[i] = encode(Number(values[i]));
  } else {
    for (let i = 0; i < count; i++) data[i] = Number(values[i]);
  }
  return { dtype, dims, bytes: new Uint8Array(data.buffer) };
}

/** A tensor over existing typed data, shared and not copied. */
export function tensorOf(dtype: DType, dims: readonly number[], data: TypedArray): Tensor {
  return { dtype, dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** A typed view of the data; copies only where the bytes are not aligned. Half floats come as bit patterns. */
export function typedData(t: Tensor): TypedArray {
  const Ctor = dtypes[t.dtype].array;
  if (!Ctor || t.external)
    throw new RetortError('ONNX_UNSUPPORTED', `no in-memory view of a ${t.dtype} tensor`);
  const size = dtypes[t.dtype].bits / 8;
  const bytes = t.bytes.byteOffset % size === 0 ? t.bytes : t.bytes.slice();
  return new Ctor(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / size);
}

/** All elements as JavaScript numbers (int64 beyond 2^53 loses precision; half floats are decoded). */
export function numbers(t: Tensor): number[] {
  const data = typedData(t);
  if (t.dtype === 'float16') return Array.from(data as Uint16Array, halfToFloat);
  if (t.dtype === 'bfloat16') return Array.from(data as Uint16Array, bfloatToFloat);
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** IEEE binary16 bit pattern to number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Number to IEEE binary16 bit pattern, round to nearest even. */
export function floatToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundEven(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  const scaled = roundEven((magnitude / 2 ** exponent) * 1024);
  return sign + ((exponent + 15) << 10) + (scaled - 1024);
}

export function bfloatToFloat(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratchFloat[0]!;
}

function floatToBfloat(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
