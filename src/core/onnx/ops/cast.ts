import { intAttribute } from '../attributes.ts';
import { type DType, dtypeOfCode, isFloat } from '../dtype.ts';
import { dtypeOf, elementsOf, misfit, shapeOf } from './context.ts';
import { define, fed, ints, sample, stored } from './define.ts';
import { elementwise } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Element type conversions. */

function convert(c: InferContext, to: DType | undefined): ValueType[] {
  const from = dtypeOf(c, 0);
  // Nothing is converted, so nothing is lost: not even an int64 that no JavaScript number holds (the end of a slice).
  if (to && to === from) return [c.inputs[0]!];
  const base: ValueType = { dtype: to, shape: shapeOf(c, 0) };
  const foldable = to && from && from !== 'string' && to !== 'string';
  const bounded = (x: number): number => (isFloat(to) ? x : to === 'bool' ? Number(x !== 0) : Math.trunc(x));
  const known = foldable && elementwise([c.inputs[0]], to, bounded);
  if (known) return [known];
  const elements = elementsOf(c.inputs[0]);
  return [elements && (to === 'int64' || to === 'int32') ? { ...base, elements } : base];
}

function inferCast(c: InferContext): ValueType[] {
  const code = intAttribute(c.node, 'to');
  const to = code === undefined ? undefined : dtypeOfCode(code);
  return to ? convert(c, to) : misfit(c, `attribute to (${code}) is no element type`);
}

const samples = {
  Cast: [
    sample([[2, 3]], { to: 7 }),
    sample([ints(0, 2)], { to: 9 }),
    sample([stored('float32', [2], [-1.5, 2.5])], { to: 7 }),
    sample([ints(3, -2)], { to: 7 }),
  ],
  CastLike: [sample([[2, 3], fed('int32', [1])])],
};

export const cast = define(
  [
    { op: 'Cast', infer: inferCast },
    { op: 'CastLike', infer: (c) => convert(c, dtypeOf(c, 1)) },
  ],
  samples,
);
