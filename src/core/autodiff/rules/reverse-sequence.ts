import { intAttribute } from '../../onnx/attributes.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x with the first lengths[n] steps of each sequence reversed; a second reversal undoes it, so dx is dy reversed.
 * https://onnx.ai/onnx/operators/onnx__ReverseSequence.html
 */
export const reverseSequence: GradientRule = {
  op: 'ReverseSequence',
  differentiable: [0],
  samples: [
    { name: 'time first', inputs: [{ shape: [4, 2, 2] }, { constant: [3, 4], dtype: 'int64' }] },
    {
      name: 'batch first',
      inputs: [{ shape: [2, 4] }, { constant: [1, 3], dtype: 'int64' }],
      attributes: { batch_axis: 0, time_axis: 1 },
    },
  ],
  backward: (c) => {
    const axes = {
      batch_axis: intAttribute(c.node, 'batch_axis', 1),
      time_axis: intAttribute(c.node, 'time_axis', 0),
    };
    return [c.b.op('ReverseSequence', [c.dy(0), c.x(1)], axes), undefined];
  },
};
