import { intAttribute, intsAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { axisOf, dtypeOf, integersOf, misfit, rankedShape, shapeOf } from './context.ts';
import { define, fed, ints, sample, scalar, stored } from './define.ts';
import { isKnown, isStatic, mapDim, productOf, showShape } from './dims.ts';
import { movedType, sourceMap } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Operators that permute, repeat or mask elements. */

function inferTranspose(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  if (!x) return [{ dtype: dtypeOf(c, 0), shape: undefined }];
  const perm = intsAttribute(
    c.node,
    'perm',
    x.map((_, i) => x.length - 1 - i),
  );
  if (perm.length !== x.length || new Set(perm).size !== perm.length || perm.some((p) => !(p in x))) {
    misfit(c, `perm [${perm.join(', ')}] does not permute ${showShape(x)}`);
  }
  const shape = perm.map((p) => x[p]!);
  return [
    movedType(c.inputs[0], shape, () =>
      sourceMap(shape as number[], x as number[], (index) => x.map((_, axis) => index[perm.indexOf(axis)]!)),
    ),
  ];
}

/** Repeats along every axis; the counts are input 1 (a vector). */
function inferTile(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const repeats = integersOf(c, 1);
  if (!x) return [{ dtype: dtypeOf(c, 0), shape: undefined }];
  if (repeats && repeats.length !== x.length) misfit(c, `${repeats.length} repeats for rank ${x.length}`);
  const shape = x.map((dim, i): Dim => (repeats ? productOf([dim, repeats[i]!]) : ''));
  return [
    movedType(c.inputs[0], shape, () =>
      sourceMap(shape as number[], x as number[], (index) => index.map((at, i) => at % (x[i] as number))),
    ),
  ];
}

/** [N, C, H, W] -> [N, C/b^2, H b, W b], and back. */
function inferDepthToSpace(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 4, 4);
  const b = intAttribute(c.node, 'blocksize', 1);
  if (x && isKnown(x[1]) && x[1] % (b * b) !== 0) misfit(c, `${x[1]} channels do not divide by ${b * b}`);
  const shape = x && [
    x[0]!,
    mapDim(x[1]!, (d) => d / (b * b)),
    mapDim(x[2]!, (d) => d * b),
    mapDim(x[3]!, (d) => d * b),
  ];
  return [{ dtype: dtypeOf(c, 0), shape }];
}

function inferSpaceToDepth(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 4, 4);
  const b = intAttribute(c.node, 'blocksize', 1);
  if (x?.slice(2).some((dim) => isKnown(dim) && dim % b !== 0))
    misfit(c, `${showShape(x)} does not divide by ${b}`);
  const shape = x && [
    x[0]!,
    mapDim(x[1]!, (d) => d * b * b),
    mapDim(x[2]!, (d) => d / b),
    mapDim(x[3]!, (d) => d / b),
  ];
  return [{ dtype: dtypeOf(c, 0), shape }];
}

/** Keeps one triangle of the last two axes; the diagonal is input 1 (default 0). */
function inferTrilu(c: InferContext): ValueType[] {
  rankedShape(c, 0, 2);
  return [{ dtype: dtypeOf(c, 0), shape: shapeOf(c, 0) }];
}

const inferSame = (c: InferContext): ValueType[] => [{ dtype: dtypeOf(c, 0), shape: shapeOf(c, 0) }];

/** Values and positions of the k largest or smallest along an axis; k is an attribute before 10. */
function inferTopK(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const k = c.opset < 10 ? intAttribute(c.node, 'k') : integersOf(c, 1)?.[0];
  let shape: Shape | undefined;
  if (x) {
    const axis = axisOf(c, intAttribute(c.node, 'axis', -1), x.length);
    const size = x[axis]!;
    if (k !== undefined && isKnown(size) && k > size) misfit(c, `the largest ${k} of ${size} are asked for`);
    shape = x.map((dim, i) => (i === axis ? (k ?? '') : dim));
  }
  return [
    { dtype: dtypeOf(c, 0), shape },
    { dtype: 'int64', shape },
  ];
}

/** Values, and three index vectors; how many are unique is known only at run time. */
function inferUnique(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const axis = intAttribute(c.node, 'axis');
  const shape = axis === undefined ? [''] : x?.map((dim, i) => (i === axisOf(c, axis, x.length) ? '' : dim));
  const indices: ValueType = { dtype: 'int64', shape: [''] };
  const inverse = axis === undefined && isStatic(x) ? [productOf(x)] : [''];
  return [{ dtype: dtypeOf(c, 0), shape }, indices, { dtype: 'int64', shape: inverse }, indices];
}

const samples = {
  CumSum: [sample([[2, 3], scalar('int64', 1)])],
  DepthToSpace: [sample([[1, 8, 2, 3]], { blocksize: 2 })],
  ReverseSequence: [sample([[4, 2, 3], ints(4, 2)])],
  SpaceToDepth: [sample([[1, 2, 4, 6]], { blocksize: 2 })],
  Tile: [sample([[2, 3], ints(2, 1)]), sample([ints(7, 8), ints(3)])],
  TopK: [
    sample([[2, 5], ints(3)], {}, { outputs: 2 }),
    sample([[2, 5]], { k: 2, axis: 0 }, { outputs: 2, opset: 9 }),
  ],
  Transpose: [
    sample([[2, 3, 4]]),
    sample([[2, 3, 4]], { perm: [2, 0, 1] }),
    sample([stored('int64', [2, 3], [1, 2, 3, 4, 5, 6])]),
  ],
  Trilu: [sample([[3, 4]])],
  Unique: [sample([fed('float32', [5])], {}, { outputs: 4 })],
};

export const arrange = define(
  [
    { op: 'CumSum', infer: inferSame },
    { op: 'DepthToSpace', infer: inferDepthToSpace },
    { op: 'ReverseSequence', infer: inferSame },
    { op: 'SpaceToDepth', infer: inferSpaceToDepth },
    { op: 'Tile', infer: inferTile },
    { op: 'TopK', infer: inferTopK },
    { op: 'Transpose', infer: inferTranspose },
    { op: 'Trilu', infer: inferTrilu },
    { op: 'Unique', infer: inferUnique },
  ],
  samples,
);
