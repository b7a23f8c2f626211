import { axisAttribute } from '../emit/axis.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y_i = consecutive parts of x along an axis, so dx = the dy_i one after another (zeros for parts nobody used).
 * https://onnx.ai/onnx/operators/onnx__Split.html
 */
export const split: GradientRule = {
  op: 'Split',
  differentiable: [0],
  samples: [
    { name: 'equal parts', inputs: [{ shape: [4, 2] }], attributes: { num_outputs: 2 }, outputs: 2 },
    {
      name: 'given sizes',
      inputs: [{ shape: [2, 6] }, { constant: [1, 3, 2], dtype: 'int64' }],
      attributes: { axis: 1 },
      outputs: 3,
    },
    {
      name: 'uneven parts, negative axis',
      inputs: [{ shape: [2, 5] }],
      attributes: { axis: -1, num_outputs: 2 },
      outputs: 2,
    },
  ],
  backward: (c) => {
    const parts = c.node.outputs.map((_, i) => c.dy(i));
    const dx = parts.length === 1 ? parts[0] : c.b.op('Concat', parts, { axis: axisAttribute(c, 0) });
    return [dx, ...c.node.inputs.slice(1).map(() => undefined)];
  },
};
