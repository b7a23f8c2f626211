import { axisAttribute } from '../emit/axis.ts';
import type { GradientRule } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';

/**
 * y[i, j] = x[index[i, j], j] (for axis 0); dx = each element of dy added where it came from.
 * https://onnx.ai/onnx/operators/onnx__GatherElements.html
 */
export const gatherElements: GradientRule = {
  op: 'GatherElements',
  differentiable: [0],
  samples: [
    {
      name: 'first axis, repeated indices',
      inputs: [{ shape: [3, 2] }, { constant: [1, 1, 0, 2, 1, -1], shape: [3, 2], dtype: 'int64' }],
    },
    {
      name: 'last axis, fewer rows than x',
      inputs: [{ shape: [3, 4] }, { constant: [0, 3, -1, 1], shape: [2, 2], dtype: 'int64' }],
      attributes: { axis: -1 },
    },
  ],
  backward: (c) => {
    const attributes = { axis: axisAttribute(c, 0), reduction: 'add' };
    const zeros = zerosLike(c.b, c.x(0));
    return [c.b.op('ScatterElements', [zeros, c.x(1), c.dy(0)], attributes), undefined];
  },
};
