import type { GradientRule } from '../rule.ts';

/**
 * y = x broadcast with a shape; dx = dy, which the walk sums over the stretched dimensions.
 * https://onnx.ai/onnx/operators/onnx__Expand.html
 */
export const expand: GradientRule = {
  op: 'Expand',
  differentiable: [0],
  samples: [
    { name: 'stretched', inputs: [{ shape: [2, 1, 3] }, { constant: [2, 4, 3], dtype: 'int64' }] },
    { name: 'more dimensions', inputs: [{ shape: [3] }, { constant: [2, 2, 1], dtype: 'int64' }] },
    { name: 'a scalar', inputs: [{ shape: [] }, { constant: [2, 3], dtype: 'int64' }] },
    { name: 'shape smaller than x', inputs: [{ shape: [2, 3] }, { constant: [1], dtype: 'int64' }] },
  ],
  backward: (c) => [c.dy(0), undefined],
};
