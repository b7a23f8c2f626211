import { scattered } from '../emit/scattered.ts';
import type { GradientRule, SampleInput } from '../rule.ts';

const elements: SampleInput = { constant: [0, 1, 2, 0, -1, -1], shape: [3, 2], dtype: 'int64' };

/**
 * y = data with updates written or added at index tuples; the updates' gradient is GatherND of dy.
 * https://onnx.ai/onnx/operators/onnx__ScatterND.html
 */
export const scatterNd: GradientRule = {
  op: 'ScatterND',
  differentiable: [0, 2],
  samples: [
    { name: 'elements', inputs: [{ shape: [3, 3] }, elements, { shape: [3] }] },
    {
      name: 'rows',
      inputs: [{ shape: [3, 2] }, { constant: [2, 0], shape: [2, 1], dtype: 'int64' }, { shape: [2, 2] }],
    },
    {
      name: 'rows added, repeated',
      inputs: [{ shape: [3, 2] }, { constant: [2, 0, 2], shape: [3, 1], dtype: 'int64' }, { shape: [3, 2] }],
      attributes: { reduction: 'add' },
    },
  ],
  backward: (c) =>
    scattered(
      c,
      (dy) => c.b.op('GatherND', [dy, c.x(1)]),
      (dy, zeros) => c.b.op('ScatterND', [dy, c.x(1), zeros]),
    ),
};
