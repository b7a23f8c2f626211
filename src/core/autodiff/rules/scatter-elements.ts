import { axisAttribute } from '../emit/axis.ts';
import { scattered } from '../emit/scattered.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = data with updates written or added at y[index[i, j], j] (for axis 0); the updates' gradient is GatherElements of dy.
 * https://onnx.ai/onnx/operators/onnx__ScatterElements.html
 */
export const scatterElements: GradientRule = {
  op: 'ScatterElements',
  differentiable: [0, 2],
  samples: [
    {
      name: 'first axis',
      inputs: [
        { shape: [3, 2] },
        { constant: [1, 2, 0, -2], shape: [2, 2], dtype: 'int64' },
        { shape: [2, 2] },
      ],
    },
    {
      name: 'negative axis',
      inputs: [
        { shape: [2, 4] },
        { constant: [3, 0, 1, 2], shape: [2, 2], dtype: 'int64' },
        { shape: [2, 2] },
      ],
      attributes: { axis: -1 },
    },
    {
      name: 'added, repeated',
      inputs: [
        { shape: [2, 3] },
        { constant: [1, 1, 0, 2], shape: [2, 2], dtype: 'int64' },
        { shape: [2, 2] },
      ],
      attributes: { axis: 1, reduction: 'add' },
    },
  ],
  backward: (c) => {
    const axis = axisAttribute(c, 0);
    return scattered(
      c,
      (dy) => c.b.op('GatherElements', [dy, c.x(1)], { axis }),
      (dy, zeros) => c.b.op('ScatterElements', [dy, c.x(1), zeros], { axis }),
    );
  },
};
