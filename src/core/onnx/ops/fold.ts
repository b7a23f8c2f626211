import { type DType, dtypes, isFloat, type TypedArray } from '../dtype.ts';
import type { Dim, Shape } from '../model.ts';
import { numbers, sizeOf, type Tensor, tensor, tensorOf, typedData } from '../tensor.ts';
import { elementsOf } from './context.ts';
import { broadcastShapes, isStatic } from './dims.ts';
import type { ValueType } from './op.ts';

/** Constant folding: what is small and known is computed at once, exactly as the operator would. */

/** Values with more elements than this are not folded. */
export const FOLD_LIMIT = 4096;

/** A value of this type with these elements; left unknown if JavaScript numbers cannot hold them exactly. */
export function foldedType(dtype: DType, shape: readonly number[], values: readonly number[]): ValueType {
  const integral = !isFloat(dtype) && dtype !== 'bool';
  if (!dtypes[dtype].array || dtype.startsWith('float8') || values.length > FOLD_LIMIT)
    return { dtype, shape };
  if (integral && !values.every(Number.isSafeInteger)) return { dtype, shape };
  return { dtype, shape, constant: tensor(dtype, shape, values) };
}

/** A shape as a value: constant if static, otherwise its elements as far as known. */
export function shapeValue(shape: Shape): ValueType {
  const type = { dtype: 'int64', shape: [shape.length] } as const;
  return isStatic(shape) ? foldedType('int64', [shape.length], shape) : { ...type, elements: shape };
}

/** An integer vector or scalar known in part. */
export function elementsType(
  dtype: DType | undefined,
  shape: Shape | undefined,
  elements: readonly Dim[],
): ValueType {
  if (dtype && isStatic(shape) && isStatic(elements)) return foldedType(dtype, shape, elements);
  return { dtype, shape, elements };
}

/** Elements of a tensor at flat positions, as a tensor. */
export function pick(t: Tensor, dims: readonly number[], source: ArrayLike<number>): Tensor {
  const data = typedData(t);
  const out = new (data.constructor as new (length: number) => TypedArray)(source.length);
  for (let i = 0; i < source.length; i++) out[i] = data[source[i]!]!;
  return tensorOf(t.dtype, dims, out);
}

const movable = (t: Tensor): boolean => dtypes[t.dtype].array !== undefined && !t.external;

/**
 * The result of an operator that only moves elements: `source` gives, for every output element in row-major order, its
 * flat position in the input.
 */
export function movedType(
  type: ValueType | undefined,
  shape: Shape | undefined,
  source: () => ArrayLike<number>,
): ValueType {
  const out = { dtype: type?.dtype, shape };
  if (!type || !isStatic(shape) || sizeOf(shape) > FOLD_LIMIT) return out;
  if (type.constant && movable(type.constant))
    return { ...out, constant: pick(type.constant, shape, source()) };
  const elements = elementsOf(type);
  if (!elements || shape.length > 1) return out;
  return { ...out, elements: Array.from(source(), (i) => elements[i] ?? '') };
}

/** The same elements in order under another shape. */
export function reshapedType(type: ValueType | undefined, shape: Shape | undefined): ValueType {
  return movedType(type, shape, () =>
    Array.from({ length: isStatic(shape) ? sizeOf(shape) : 0 }, (_, i) => i),
  );
}

/** Row-major strides. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * dims[i + 1]!;
  return strides;
}

/** Calls `visit` with every index of a shape in row-major order; the array is reused. */
export function forEachIndex(dims: readonly number[], visit: (index: readonly number[]) => void): void {
  const index = dims.map(() => 0);
  const count = sizeOf(dims);
  for (let n = 0; n < count; n++) {
    visit(index);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1;
      if (index[axis]! < dims[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Flat source positions for every output index, given the source index as a function of the output index. */
export function sourceMap(
  outDims: readonly number[],
  inDims: readonly number[],
  locate: (index: readonly number[]) => readonly number[],
): number[] {
  const strides = stridesOf(inDims);
  const out: number[] = [];
  forEachIndex(outDims, (index) => {
    out.push(locate(index).reduce((sum, at, axis) => sum + at * strides[axis]!, 0));
  });
  return out;
}

/** Flat source positions that broadcast `from` to `to`. */
export function broadcastMap(from: readonly number[], to: readonly number[]): number[] {
  const lead = to.length - from.length;
  return sourceMap(to, from, (index) => from.map((dim, axis) => (dim === 1 ? 0 : index[axis + lead]!)));
}

/** Elementwise over constants with broadcasting; undefined if any is unknown or the result too large. */
export function elementwise(
  inputs: readonly (ValueType | undefined)[],
  dtype: DType | undefined,
  compute: (...values: number[]) => number,
): ValueType | undefined {
  const tensors = inputs.map((input) => input?.constant);
  if (!dtype || !tensors.every((t) => t !== undefined && movable(t))) return undefined;
  const known = tensors as Tensor[];
  const shape = broadcastShapes(known.map((t) => t.dims)) as number[] | undefined;
  if (!shape || sizeOf(shape) > FOLD_LIMIT) return undefined;
  const lists = known.map((t) => {
    const values = numbers(t);
    return values.length === sizeOf(shape) ? values : broadcastMap(t.dims, shape).map((at) => values[at]!);
  });
  const out = Array.from({ length: sizeOf(shape) }, (_, i) => compute(...lists.map((list) => list[i]!)));
  if (!isFloat(dtype) && !out.every(Number.isFinite)) return undefined;
  return foldedType(dtype, shape, out);
}
