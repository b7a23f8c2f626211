import { intAttribute } from '../../onnx/attributes.ts';
import type { GradientRule } from '../rule.ts';

const sample = (name: string, axis: number, attributes: Record<string, number> = {}) => ({
  name,
  inputs: [{ shape: [2, 4] }, { constant: [axis], shape: [], dtype: 'int64' as const }],
  attributes,
});

/**
 * y_i = sum of x_j for j <= i (exclusive: j < i; reverse: from the end); so dx_j = sum of dy_i for i >= j: the same sum
 * in the other direction. https://onnx.ai/onnx/operators/onnx__CumSum.html
 */
export const cumSum: GradientRule = {
  op: 'CumSum',
  differentiable: [0],
  samples: [
    sample('inclusive', 1),
    sample('negative axis, exclusive', -1, { exclusive: 1 }),
    sample('reverse', 0, { reverse: 1 }),
    sample('exclusive and reverse', 1, { exclusive: 1, reverse: 1 }),
  ],
  backward: (c) => {
    const exclusive = intAttribute(c.node, 'exclusive', 0);
    const reverse = 1 - intAttribute(c.node, 'reverse', 0);
    return [c.b.op('CumSum', [c.dy(0), c.x(1)], { exclusive, reverse }), undefined];
  },
};
