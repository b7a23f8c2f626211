import type { NDArray } from '../../core/ndarray.ts';
import { halfToFloat } from '../../core/onnx/tensor.ts';

/** Element types of IDX and NPY records. */
export type Element = 'u1' | 'i1' | 'u2' | 'i2' | 'u4' | 'i4' | 'u8' | 'i8' | 'f2' | 'f4' | 'f8' | 'b1';

export const elementBytes = (element: Element): number => Number(element[1]);

export const isInteger = (element: Element): boolean => !element.startsWith('f');

/** Stored element type that holds all values of an element type (float64 is rounded to float32). */
function storedType(element: Element): 'uint8' | 'float32' | 'int32' | 'int64' {
  if (element === 'u1' || element === 'b1') return 'uint8';
  if (!isInteger(element)) return 'float32';
  return element === 'u4' || element === 'u8' || element === 'i8' ? 'int64' : 'int32';
}

/** The numbers of a raw record in a stored element type. */
export function decodeRecord(
  bytes: Uint8Array,
  element: Element,
  littleEndian: boolean,
  dims: readonly number[],
): NDArray {
  const dtype = storedType(element);
  if (dtype === 'uint8') return { dtype, dims, data: bytes };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = elementBytes(element);
  const count = bytes.byteLength / size;
  if (dtype === 'int64') {
    const data = new BigInt64Array(count);
    for (let i = 0; i < count; i++) data[i] = readBig(view, i * size, element, littleEndian);
    return { dtype, dims, data };
  }
  const data = dtype === 'float32' ? new Float32Array(count) : new Int32Array(count);
  for (let i = 0; i < count; i++) data[i] = readNumber(view, i * size, element, littleEndian);
  return { dtype, dims, data };
}

function readBig(view: DataView, at: number, element: Element, little: boolean): bigint {
  if (element === 'u4') return BigInt(view.getUint32(at, little));
  return element === 'u8' ? view.getBigUint64(at, little) : view.getBigInt64(at, little);
}

/** One element as a JavaScript number. */
function readNumber(view: DataView, at: number, element: Element, little: boolean): number {
  switch (element) {
    case 'u1':
    case 'b1':
      return view.getUint8(at);
    case 'i1':
      return view.getInt8(at);
    case 'u2':
      return view.getUint16(at, little);
    case 'i2':
      return view.getInt16(at, little);
    case 'u4':
      return view.getUint32(at, little);
    case 'i4':
      return view.getInt32(at, little);
    case 'f2':
      return halfToFloat(view.getUint16(at, little));
    case 'f4':
      return view.getFloat32(at, little);
    case 'f8':
      return view.getFloat64(at, little);
    default:
      return Number(readBig(view, at, element, little));
  }
}

/** Shape of a picture [H, W, C] for a uint8 record that looks like one (grey, or with 1 or 3 channels), else as is. */
export function asPicture(array: NDArray): NDArray {
  const { dims, dtype, data } = array;
  if (dtype !== 'uint8') return array;
  if (dims.length === 2) return { dtype, dims: [dims[0]!, dims[1]!, 1], data };
  if (dims.length !== 3 || isChannels(dims[2]!) || !isChannels(dims[0]!)) return array;
  const [channels, height, width] = dims as [number, number, number];
  const source = data as Uint8Array;
  const turned = new Uint8Array(source.length);
  const plane = height * width;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) turned[i * channels + c] = source[c * plane + i]!;
  }
  return { dtype, dims: [height, width, channels], data: turned };
}

/** Whether an array is a picture as columns know it: uint8 [H, W, C] with 1 or 3 channels. */
export const isPicture = (array: NDArray): boolean =>
  array.dtype === 'uint8' && array.dims.length === 3 && isChannels(array.dims[2]!);

const isChannels = (n: number): boolean => n === 1 || n === 3;
