import { dtypes, isFloat } from '../../onnx/dtype.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x in another element type: dx = dy in the type of x. Zero if either type is not a float: rounding has no slope.
 * https://onnx.ai/onnx/operators/onnx__Cast.html
 */
export const cast: GradientRule = {
  op: 'Cast',
  differentiable: [0],
  samples: [
    { name: 'to the same type', inputs: [{ shape: [2, 3] }], attributes: { to: dtypes.float32.code } },
    { name: 'to a wider type', inputs: [{ shape: [2, 3] }], attributes: { to: dtypes.float64.code } },
  ],
  backward: (c) => {
    const [from, to] = [c.b.dtype(c.x(0)), c.b.dtype(c.y(0))];
    if (!isFloat(from) || !isFloat(to)) return [undefined];
    return [from === to ? c.dy(0) : c.b.op('Cast', [c.dy(0)], { to: dtypes[from].code })];
  },
};
