import { binarySamples } from '../emit/binary-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a - b, so da = dy and db = -dy.
 * https://onnx.ai/onnx/operators/onnx__Sub.html
 */
export const sub: GradientRule = {
  op: 'Sub',
  differentiable: 'all',
  samples: binarySamples(),
  backward: (c) => [c.dy(0), c.wants(1) ? c.b.op('Neg', [c.dy(0)]) : undefined],
};
