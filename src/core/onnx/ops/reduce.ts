import { intAttribute } from '../attributes.ts';
import { isFloat } from '../dtype.ts';
import type { Dim, Shape } from '../model.ts';
import { numbers, sizeOf } from '../tensor.ts';
import { axesOf, axisOf, dtypeOf, shapeOf } from './context.ts';
import { define, ints, sample, stored } from './define.ts';
import { isStatic, productOf } from './dims.ts';
import { foldedType, forEachIndex, stridesOf } from './fold.ts';
import type { InferContext, OpDefinition, OpSample, ValueType } from './op.ts';

/**
 * Reductions over axes: attribute `axes` at first, input 1 since 13 (ReduceSum) or 18 (the others); no axes means all of
 * them, or none with noop_with_empty_axes.
 */

/** The reduced axes; 'unknown' where they are not constant. */
function reducedAxes(c: InferContext, rank: number): number[] | 'unknown' {
  const axes = axesOf(c, 1);
  if (axes === 'unknown') return axes;
  if (axes && axes.length > 0) return axes.map((axis) => axisOf(c, axis, rank));
  return intAttribute(c.node, 'noop_with_empty_axes', 0) ? [] : Array.from({ length: rank }, (_, i) => i);
}

function reducedShape(x: Shape, axes: readonly number[], keep: boolean): Shape {
  if (keep) return x.map((dim, i): Dim => (axes.includes(i) ? 1 : dim));
  return x.filter((_, i) => !axes.includes(i));
}

const exact: Readonly<Record<string, readonly [number, (a: number, b: number) => number]>> = {
  ReduceMax: [Number.NEGATIVE_INFINITY, Math.max],
  ReduceMin: [Number.POSITIVE_INFINITY, Math.min],
  ReduceProd: [1, (a, b) => a * b],
  ReduceSum: [0, (a, b) => a + b],
};

/** Integers fold; floats do not, their sum depends on the order of addition. */
function folded(
  c: InferContext,
  axes: readonly number[],
  shape: readonly number[],
  keep: boolean,
): ValueType | undefined {
  const x = c.inputs[0]?.constant;
  const [start, step] = exact[c.node.op] ?? [];
  if (!x || start === undefined || !step || isFloat(x.dtype) || x.dtype === 'bool') return undefined;
  const values = numbers(x);
  const out = new Array<number>(sizeOf(shape)).fill(start);
  const strides = stridesOf(reducedShape(x.dims, axes, true) as number[]);
  let n = 0;
  forEachIndex(x.dims, (index) => {
    const at = index.reduce((sum, i, axis) => sum + (axes.includes(axis) ? 0 : i * strides[axis]!), 0);
    out[at] = step(out[at]!, values[n++]!);
  });
  return foldedType(x.dtype, reducedShape(x.dims, axes, keep) as number[], out);
}

function inferReduce(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const dtype = dtypeOf(c, 0);
  const keep = intAttribute(c.node, 'keepdims', 1) === 1;
  if (!x) return [{ dtype, shape: undefined }];
  const axes = reducedAxes(c, x.length);
  if (axes === 'unknown') {
    const count = productOf(shapeOf(c, 1) ?? ['']);
    const rank = keep ? x.length : typeof count === 'number' ? x.length - count : undefined;
    return [{ dtype, shape: rank === undefined ? undefined : new Array<string>(rank).fill('') }];
  }
  const shape = reducedShape(x, axes, keep);
  return [(isStatic(shape) ? folded(c, axes, shape, keep) : undefined) ?? { dtype, shape }];
}

/** Index of the largest or smallest element along one axis. */
function inferArg(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  if (!x) return [{ dtype: 'int64', shape: undefined }];
  const axis = axisOf(c, intAttribute(c.node, 'axis', 0), x.length);
  return [{ dtype: 'int64', shape: reducedShape(x, [axis], intAttribute(c.node, 'keepdims', 1) === 1) }];
}

const kinds = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'];

const reduceSamples = (kind: string): readonly OpSample[] => [
  sample([[2, 3, 4], ints(1)], {}, { opset: 18 }),
  sample([[2, 3, 4]], { keepdims: 0 }),
  sample([[2, 3, 4]], { axes: [-1], keepdims: 0 }, { opset: 11 }),
  ...(kind in { Max: 1, Min: 1, Prod: 1, Sum: 1 }
    ? [sample([stored('int64', [2, 3], [1, 5, 3, 4, 2, 6]), ints(1)], { keepdims: 0 })]
    : []),
];

const samples = {
  ArgMax: [sample([[2, 3, 4]], { axis: -1 })],
  ArgMin: [sample([[2, 3, 4]], { axis: 1, keepdims: 0 })],
  ...Object.fromEntries(kinds.map((kind) => [`Reduce${kind}`, reduceSamples(kind)])),
};

export const reduce = define(
  [
    { op: 'ArgMax', infer: inferArg },
    { op: 'ArgMin', infer: inferArg },
    ...kinds.map((kind): OpDefinition => ({ op: `Reduce${kind}`, infer: inferReduce })),
  ],
  samples,
);
