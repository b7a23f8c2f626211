import { dtypes, isFloat } from '../../onnx/dtype.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x in the element type of the second input: dx = dy in the type of x. Zero if either type is not a float.
 * https://onnx.ai/onnx/operators/onnx__CastLike.html
 */
export const castLike: GradientRule = {
  op: 'CastLike',
  differentiable: [0],
  samples: [{ name: 'same type', inputs: [{ shape: [2, 3] }, { constant: [0], shape: [] }] }],
  backward: (c) => {
    const [from, to] = [c.b.dtype(c.x(0)), c.b.dtype(c.x(1))];
    if (!isFloat(from) || !isFloat(to)) return [undefined, undefined];
    return [from === to ? c.dy(0) : c.b.op('Cast', [c.dy(0)], { to: dtypes[from].code }), undefined];
  },
};
