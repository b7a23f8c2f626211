import { intAttribute } from '../../onnx/attributes.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = the upper or lower triangle of x, zero elsewhere; dx = the same triangle of dy.
 * https://onnx.ai/onnx/operators/onnx__Trilu.html
 */
export const trilu: GradientRule = {
  op: 'Trilu',
  differentiable: [0],
  samples: [
    { name: 'upper by default', inputs: [{ shape: [3, 3] }] },
    { name: 'lower, a batch', inputs: [{ shape: [2, 3, 4] }], attributes: { upper: 0 } },
    {
      name: 'shifted',
      inputs: [{ shape: [3, 4] }, { constant: [-1], shape: [], dtype: 'int64' }],
      attributes: { upper: 0 },
    },
  ],
  backward: (c) => {
    const others = c.node.inputs.slice(1);
    const upper = intAttribute(c.node, 'upper', 1);
    return [c.b.op('Trilu', [c.dy(0), ...others], { upper }), ...others.map(() => undefined)];
  },
};
