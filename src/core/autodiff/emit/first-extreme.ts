import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule, RuleContext } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';
import { type Reduction, reduction, reductionSamples } from './reduction.ts';

/**
 * y = max or min of x over axes. The first element, in row-major order, that reaches y takes all of dy: ArgMax/ArgMin
 * finds it (they return the first of equals), ScatterElements puts dy there. Several axes are first brought to the end
 * and flattened to one.
 */
export function firstExtreme(op: string, arg: 'ArgMax' | 'ArgMin'): GradientRule {
  return reduction(op, (r, c) => gradient(r, c, arg), reductionSamples({ distinct: true }));
}

function gradient(r: Reduction, c: RuleContext, arg: string): string {
  const { b } = c;
  const place = (x: string, dy: string, axis: number): string => {
    const index = b.op(arg, [x], { axis, keepdims: 1 });
    return b.op('ScatterElements', [zerosLike(b, x), index, dy], { axis });
  };
  if (r.axes.length === 0) return r.dy;
  if (r.axes.length === 1) return place(r.x, r.dy, r.axes[0]!);

  const others = r.dims.map((_, i) => i).filter((i) => !r.axes.includes(i));
  const perm = [...others, ...r.axes];
  const straight = perm.every((axis, i) => axis === i);
  const moved = straight ? r.x : b.op('Transpose', [r.x], { perm });
  const rows = sizeOf(others.map((axis) => r.dims[axis]!));
  const flat = b.op('Reshape', [moved, b.ints([rows, r.count])]);
  const dflat = place(flat, b.op('Reshape', [r.dy, b.ints([rows, 1])]), 1);
  const dmoved = b.op('Reshape', [dflat, b.ints(b.dims(moved))]);
  return straight ? dmoved : b.op('Transpose', [dmoved], { perm: perm.map((_, i) => perm.indexOf(i)) });
}
