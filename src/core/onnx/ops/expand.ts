import { describedShape } from './constant.ts';
import { dtypeOf, misfit, shapeOf } from './context.ts';
import { define, ints, sample } from './define.ts';
import { broadcastShapes, showShape } from './dims.ts';
import { broadcastMap, movedType } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Broadcasting to a given shape (two-way: a 1 in the target keeps the input's dimension). */
function inferExpand(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const target = describedShape(c, 1);
  if (!x || !target) return [{ dtype: dtypeOf(c, 0), shape: undefined }];
  const shape = broadcastShapes([x, target]);
  if (!shape) misfit(c, `${showShape(x)} does not expand to ${showShape(target)}`);
  return [movedType(c.inputs[0], shape, () => broadcastMap(x as number[], shape as number[]))];
}

const samples = {
  Expand: [sample([[3, 1], ints(2, 1, 4)]), sample([ints(5, 6), ints(2, 2)])],
};

export const expand = define([{ op: 'Expand', infer: inferExpand }], samples);
