import { binarySamples } from '../emit/binary-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a + b, so da = dy and db = dy (the walk sums over broadcast dimensions).
 * https://onnx.ai/onnx/operators/onnx__Add.html
 */
export const add: GradientRule = {
  op: 'Add',
  differentiable: 'all',
  samples: [
    ...binarySamples(),
    // Summed in blocks (sum-leading.ts).
    { name: 'second is added to many rows', inputs: [{ shape: [6, 13, 2] }, { shape: [2] }] },
  ],
  backward: (c) => [c.dy(0), c.dy(0)],
};
