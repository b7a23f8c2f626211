import { float } from '../attributes.ts';
import { broadcastInputs, elementsOf, plainType, sharedDtype } from './context.ts';
import { define, fed, ints, sample, scalar, stored } from './define.ts';
import { elementsType, elementwise } from './fold.ts';
import type { InferContext, ValueType } from './op.ts';

/** Operators that choose elements by a condition or a range. */

function inferWhere(c: InferContext): ValueType[] {
  const dtype = sharedDtype(c, [1, 2]);
  const known = elementwise(c.inputs, dtype, (test, a, b) => (test ? a! : b!));
  if (known) return [known];
  const base: ValueType = { dtype, shape: broadcastInputs(c, [0, 1, 2]) };
  // Shapes with symbols: an all-true or all-false condition passes one side on.
  const test = c.inputs[0]?.constant;
  const sides = [elementsOf(c.inputs[1]), elementsOf(c.inputs[2])];
  if (!test || !sides[0] || !sides[1] || base.shape?.length !== 1) return [base];
  const length = base.shape[0];
  if (typeof length !== 'number') return [base];
  const at = <T>(list: ArrayLike<T>, i: number): T => list[list.length === 1 ? 0 : i]!;
  const elements = Array.from({ length }, (_, i) => at(at(test.bytes, i) ? sides[0]! : sides[1]!, i));
  return [elementsType(dtype, base.shape, elements)];
}

/** min(max, max(x, min)); bounds are attributes before 11, optional inputs after. */
const inferClip = (c: InferContext): ValueType[] => {
  sharedDtype(c, [0, 1, 2]);
  return [plainType(c, 0)];
};

const samples = {
  Clip: [
    sample([[2, 3], scalar('float32', 0), scalar('float32', 0.5)]),
    sample([[2, 3]], { min: float(0) }, { opset: 6 }),
  ],
  Where: [
    sample([fed('bool', [2, 1]), [3], [2, 3]]),
    sample([stored('bool', [3], [1, 0, 1]), ints(1, 2, 3), ints(9)]),
  ],
};

export const select = define(
  [
    { op: 'Clip', infer: inferClip },
    { op: 'Where', infer: inferWhere },
  ],
  samples,
);
