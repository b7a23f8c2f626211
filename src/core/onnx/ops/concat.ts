import { intAttribute, intsAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { numbers, sizeOf } from '../tensor.ts';
import { axisOf, dtypeOf, elementsOf, given, integersOf, misfit, shapeOf, sharedDtype } from './context.ts';
import { define, ints, sample, stored } from './define.ts';
import { isKnown, isStatic, showShape, unify } from './dims.ts';
import {
  elementsType,
  FOLD_LIMIT,
  foldedType,
  forEachIndex,
  movedType,
  sourceMap,
  stridesOf,
} from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Joining along an axis and cutting apart. */

function joinedShape(c: InferContext, shapes: readonly Shape[], axis: number): Shape {
  const first = shapes[0]!;
  return first.map((_, i): Dim => {
    let dim: Dim = shapes[0]![i]!;
    for (const shape of shapes.slice(1)) {
      const next = shape[i]!;
      const both: Dim | undefined =
        i !== axis ? unify(dim, next) : isKnown(dim) && isKnown(next) ? dim + next : '';
      if (both === undefined)
        misfit(c, `${shapes.map(showShape).join(', ')} cannot be joined along axis ${axis}`);
      dim = both;
    }
    return dim;
  });
}

/** Concatenated constants, or elements of shape vectors. */
function joinedValue(c: InferContext, base: ValueType, axis: number): ValueType {
  const shape = base.shape;
  if (!isStatic(shape) || !base.dtype || sizeOf(shape) > FOLD_LIMIT) return base;
  const parts = c.inputs.map((input) => input?.constant);
  if (parts.every((part) => part !== undefined) && base.dtype !== 'string') {
    const out = new Array<number>(sizeOf(shape)).fill(0);
    const strides = stridesOf(shape);
    let offset = 0;
    for (const part of parts) {
      const values = numbers(part);
      let n = 0;
      forEachIndex(part.dims, (index) => {
        const at = index.reduce((sum, i, a) => sum + (a === axis ? i + offset : i) * strides[a]!, 0);
        out[at] = values[n++]!;
      });
      offset += part.dims[axis]!;
    }
    return foldedType(base.dtype, shape, out);
  }
  const elements = c.inputs.map(elementsOf);
  if (shape.length !== 1 || !elements.every((list) => list !== undefined)) return base;
  return elementsType(base.dtype, shape, elements.flat());
}

function inferConcat(c: InferContext): ValueType[] {
  const all = c.inputs.map((_, i) => i);
  const dtype = sharedDtype(c, all);
  const shapes = all.map((i) => shapeOf(c, i)).filter((shape) => shape !== undefined);
  if (shapes.length === 0) return [{ dtype, shape: undefined }];
  const rank = shapes[0]!.length;
  if (shapes.some((shape) => shape.length !== rank))
    misfit(c, `${shapes.map(showShape).join(', ')} differ in rank`);
  const axis = axisOf(c, intAttribute(c.node, 'axis', 1), rank);
  if (shapes.length < all.length) {
    const known = joinedShape(c, shapes, axis);
    return [{ dtype, shape: known.map((dim, i) => (i === axis ? '' : dim)) }];
  }
  return [joinedValue(c, { dtype, shape: joinedShape(c, shapes, axis) }, axis)];
}

/** Sizes of the pieces: attribute before 13, then input 1, or equal ones (since 18 the last may be smaller). */
function pieces(c: InferContext, total: Dim): readonly Dim[] {
  const count = c.node.outputs.length;
  const unknown = new Array<string>(count).fill('');
  const sizes = given(c, 1) ? (integersOf(c, 1) ?? unknown) : intsAttribute(c.node, 'split');
  if (sizes) {
    if (sizes.length !== count) misfit(c, `${sizes.length} sizes for ${count} outputs`);
    const sum = sizes.every(isKnown) ? sizes.reduce((a, b) => a + b, 0) : total;
    if (isKnown(total) && sum !== total) misfit(c, `sizes [${sizes.join(', ')}] do not add up to ${total}`);
    return sizes;
  }
  if (!isKnown(total)) return unknown;
  const each = Math.ceil(total / intAttribute(c.node, 'num_outputs', count));
  if (c.opset < 18 && total % count !== 0) misfit(c, `${total} does not split into ${count} equal parts`);
  return unknown.map((_, i) => Math.max(0, Math.min(each, total - i * each)));
}

function inferSplit(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const dtype = dtypeOf(c, 0);
  if (!x) return c.node.outputs.map(() => ({ dtype, shape: undefined }));
  const axis = axisOf(c, intAttribute(c.node, 'axis', 0), x.length);
  let offset = 0;
  return pieces(c, x[axis]!).map((size) => {
    const shape = x.map((dim, i) => (i === axis ? size : dim));
    const from = offset;
    if (isKnown(size)) offset += size;
    else return { dtype, shape };
    return movedType(c.inputs[0], shape, () =>
      sourceMap(shape as number[], x as number[], (index) =>
        index.map((at, i) => (i === axis ? at + from : at)),
      ),
    );
  });
}

const samples = {
  Concat: [
    sample(
      [
        [2, 3],
        [2, 1],
      ],
      { axis: -1 },
    ),
    sample([ints(1, 2), ints(3)], { axis: 0 }),
    sample([stored('int64', [2, 1], [1, 2]), stored('int64', [2, 2], [3, 4, 5, 6])], { axis: 1 }),
  ],
  Split: [
    sample([[2, 6]], { axis: 1, num_outputs: 2 }, { outputs: 2 }),
    sample([[2, 5]], { axis: 1, num_outputs: 2 }, { outputs: 2 }),
    sample([[2, 5], ints(2, 3)], { axis: -1 }, { outputs: 2 }),
    sample([ints(1, 2, 3), ints(1, 2)], {}, { outputs: 2 }),
    sample([[5, 2]], { split: [1, 4] }, { outputs: 2, opset: 11 }),
    sample([[4, 2]], {}, { outputs: 2, opset: 13 }),
  ],
};

export const concat = define(
  [
    { op: 'Concat', infer: inferConcat },
    { op: 'Split', infer: inferSplit },
  ],
  samples,
);
