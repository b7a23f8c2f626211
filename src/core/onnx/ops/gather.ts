import { intAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { numbers } from '../tensor.ts';
import { axisOf, constantOf, dtypeOf, misfit, rankedShape, shapeOf, sharedDtype } from './context.ts';
import { define, ints, sample, scalar, stored } from './define.ts';
import { isKnown, showShape, unify } from './dims.ts';
import { movedType, sourceMap, stridesOf } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Reading and writing elements at indices. */

/** The indices' shape replaces the axis. */
function inferGather(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 1);
  const indices = shapeOf(c, 1);
  const dtype = dtypeOf(c, 0);
  if (!x || !indices) return [{ dtype, shape: undefined }];
  const axis = axisOf(c, intAttribute(c.node, 'axis', 0), x.length);
  const shape: Shape = [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
  const at = constantOf(c, 1);
  if (!at) return [{ dtype, shape }];
  const size = x[axis]!;
  const positions = numbers(at).map((i) => (i < 0 && isKnown(size) ? i + size : i));
  const outside = isKnown(size) ? positions.find((i) => i < 0 || i >= size) : undefined;
  if (outside !== undefined) misfit(c, `index ${outside} is outside axis ${axis} of ${showShape(x)}`);
  const strides = stridesOf(at.dims);
  const position = (index: readonly number[]): number =>
    positions[strides.reduce((sum, stride, i) => sum + stride * index[axis + i]!, 0)]!;
  return [
    movedType(c.inputs[0], shape, () =>
      sourceMap(shape as number[], x as number[], (index) =>
        x.map((_, i) =>
          i < axis ? index[i]! : i === axis ? position(index) : index[i + at.dims.length - 1]!,
        ),
      ),
    ),
  ];
}

/** One index per output element: the indices' shape. */
function inferGatherElements(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 1);
  const indices = rankedShape(c, 1, 1);
  if (x && indices && x.length !== indices.length) {
    misfit(c, `indices ${showShape(indices)} and data ${showShape(x)} differ in rank`);
  }
  return [{ dtype: dtypeOf(c, 0), shape: indices }];
}

/** indices [...lead, k] pick slices of the data: [...lead, ...data after batch_dims + k axes]. */
function inferGatherND(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 1);
  const indices = rankedShape(c, 1, 1);
  const depth = indices?.at(-1);
  const batch = intAttribute(c.node, 'batch_dims', 0);
  if (!x || !indices || !isKnown(depth)) return [{ dtype: dtypeOf(c, 0), shape: undefined }];
  if (batch + depth > x.length) misfit(c, `indices ${showShape(indices)} are too deep for ${showShape(x)}`);
  const lead = indices.slice(0, -1).map((dim, i): Dim => (i < batch ? (unify(dim, x[i]!) ?? dim) : dim));
  return [{ dtype: dtypeOf(c, 0), shape: [...lead, ...x.slice(batch + depth)] }];
}

/** data with updates written at indices: the data's type. */
function inferScatter(c: InferContext): ValueType[] {
  sharedDtype(c, [0, 2]);
  const [x, indices, updates] = [shapeOf(c, 0), shapeOf(c, 1), shapeOf(c, 2)];
  if (c.node.op === 'ScatterND') {
    const depth = indices?.at(-1);
    if (x && isKnown(depth) && depth > x.length)
      misfit(c, `indices ${showShape(indices)} are too deep for ${showShape(x)}`);
  } else if (x && indices && updates && (x.length !== indices.length || indices.length !== updates.length)) {
    misfit(c, `data, indices and updates differ in rank: ${[x, indices, updates].map(showShape).join(', ')}`);
  }
  return [{ dtype: dtypeOf(c, 0), shape: x }];
}

/** Entries of an axis (default: of the flattened data) where the condition holds. */
function inferCompress(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const axis = intAttribute(c.node, 'axis');
  const kept = c.inputs[1]?.constant;
  const count = kept ? numbers(kept).filter((v) => v !== 0).length : '';
  const shape =
    axis === undefined ? [count] : x?.map((dim, i) => (i === axisOf(c, axis, x.length) ? count : dim));
  return [{ dtype: dtypeOf(c, 0), shape }];
}

const samples = {
  Compress: [sample([[3, 2], stored('bool', [3], [1, 0, 1])], { axis: 0 })],
  Gather: [
    sample([[3, 4], stored('int64', [2, 1], [0, -1])], { axis: 1 }),
    sample([ints(5, 6, 7), scalar('int64', -1)]),
    sample([stored('int64', [2, 3], [1, 2, 3, 4, 5, 6]), stored('int64', [1, 2], [2, 0])], { axis: 1 }),
  ],
  GatherElements: [sample([[3, 3], stored('int64', [2, 2], [0, 1, 2, 0])])],
  GatherND: [
    sample([[2, 3, 4], stored('int64', [2, 2], [0, 1, 1, 2])]),
    sample([[2, 3, 4], stored('int64', [2, 1], [1, 2])], { batch_dims: 1 }),
  ],
  Scatter: [sample([[3, 3], stored('int64', [1, 2], [0, 1]), [1, 2]], {}, { opset: 10 })],
  ScatterElements: [sample([[3, 3], stored('int64', [1, 2], [0, 1]), [1, 2]], { axis: 1 })],
  ScatterND: [sample([[4, 3], stored('int64', [2, 1], [0, 3]), [2, 3]])],
};

export const gather = define(
  [
    { op: 'Compress', infer: inferCompress },
    { op: 'Gather', infer: inferGather },
    { op: 'GatherElements', infer: inferGatherElements },
    { op: 'GatherND', infer: inferGatherND },
    { op: 'Scatter', infer: inferScatter },
    { op: 'ScatterElements', infer: inferScatter },
    { op: 'ScatterND', infer: inferScatter },
  ],
  samples,
);
