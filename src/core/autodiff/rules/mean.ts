import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = mean of n inputs, broadcast together; every input gets dy / n.
 * https://onnx.ai/onnx/operators/onnx__Mean.html
 */
export const mean: GradientRule = {
  op: 'Mean',
  differentiable: 'all',
  samples: [
    { name: 'one input', inputs: [{ shape: [2, 3] }] },
    { name: 'three inputs, broadcast', inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }] },
  ],
  backward: (c) => {
    const share = arithmetic(c.b, c.b.dtype(c.x(0))).mul(c.dy(0), 1 / c.node.inputs.length);
    return c.node.inputs.map(() => share);
  },
};
