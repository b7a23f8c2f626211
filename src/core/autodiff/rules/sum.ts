import type { GradientRule } from '../rule.ts';

/**
 * y = sum of the inputs, broadcast together; every input gets dy.
 * https://onnx.ai/onnx/operators/onnx__Sum.html
 */
export const sum: GradientRule = {
  op: 'Sum',
  differentiable: 'all',
  samples: [
    { name: 'one input', inputs: [{ shape: [2, 3] }] },
    { name: 'three inputs, broadcast', inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }] },
  ],
  backward: (c) => c.node.inputs.map(() => c.dy(0)),
};
