import { intAttribute } from '../../onnx/attributes.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import { axisAttribute } from '../emit/axis.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x / r with r the L1 or L2 norm of x along an axis; dr/dx = s with s = sign(x) for p = 1, y for p = 2; so
 * dx = (dy - s sum(dy y)) / r. Where r is zero, y is zero by definition and so is dx.
 * https://onnx.ai/onnx/operators/onnx__LpNormalization.html
 */
export const lpNormalization: GradientRule = {
  op: 'LpNormalization',
  differentiable: [0],
  samples: [
    { name: 'L2 by default', inputs: [{ shape: [3, 4], range: [0.3, 2] }] },
    { name: 'L2, first axis', inputs: [{ shape: [3, 2], range: [0.3, 2] }], attributes: { axis: 0 } },
    {
      name: 'L1, middle axis',
      inputs: [{ shape: [2, 3, 2], range: [-2, 2], away: [0] }],
      attributes: { p: 1, axis: 1 },
    },
  ],
  backward: (c) => {
    const { b } = c;
    const [x, y, dy] = [c.x(0), c.y(0), c.dy(0)];
    const m = arithmetic(b, b.dtype(x));
    const l1 = intAttribute(c.node, 'p', 2) === 1;
    const axes = b.ints([axisAttribute(c, -1)]);
    const norm = b.op(l1 ? 'ReduceL1' : 'ReduceL2', [x, axes], { keepdims: 1 });
    const empty = m.mask(m.equal(norm, 0));
    const slope = l1 ? m.sign(x) : y;
    const shared = b.op('ReduceSum', [m.mul(dy, y), axes], { keepdims: 1 });
    const inverse = m.div(m.sub(1, empty), m.add(norm, empty));
    return [m.mul(m.sub(dy, m.mul(slope, shared)), inverse)];
  },
};
