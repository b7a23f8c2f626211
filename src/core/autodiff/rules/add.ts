import { binarySamples } from '../emit/binary-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a + b, so da = dy and db = dy (the walk sums over broadcast dimensions).
 * https://onnx.ai/onnx/operators/onnx__Add.html
 */
export const add: GradientRule = {
  op: 'Add',
  differentiable: 'all',
  samples: binarySamples(),
  backward: (c) => [c.dy(0), c.dy(0)],
};
