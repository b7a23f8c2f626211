import { axisAttribute } from '../emit/axis.ts';
import type { GradientRule } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';

/**
 * values, indices = the k largest (or smallest) along an axis; dx = dvalues at the indices, zero elsewhere.
 * https://onnx.ai/onnx/operators/onnx__TopK.html
 */
export const topK: GradientRule = {
  op: 'TopK',
  differentiable: [0],
  samples: [
    { name: 'largest', inputs: [{ shape: [2, 5] }, { constant: [2], dtype: 'int64' }], outputs: 2 },
    {
      name: 'smallest, first axis',
      inputs: [{ shape: [4, 2] }, { constant: [3], dtype: 'int64' }],
      attributes: { axis: 0, largest: 0 },
      outputs: 2,
    },
  ],
  backward: (c) => {
    const zeros = zerosLike(c.b, c.x(0));
    const axis = axisAttribute(c, -1);
    return [c.b.op('ScatterElements', [zeros, c.y(1), c.dy(0)], { axis }), undefined];
  },
};
