import { intAttribute } from '../attributes.ts';
import { type DType, dtypeOfCode, isFloat } from '../dtype.ts';
import { dtypeOf, elementsOf, misfit, shapeOf } from './context.ts';
import { elementwise } from './fold.ts';
import type { InferContext, OpDefinition, ValueType } from './op.ts';

/** Element type conversions. */

function convert(c: InferContext, to: DType | undefined): ValueType[] {
  const from = dtypeOf(c, 0);
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

export const cast: readonly OpDefinition[] = [
  { op: 'Cast', infer: inferCast },
  { op: 'CastLike', infer: (c) => convert(c, dtypeOf(c, 1)) },
];
