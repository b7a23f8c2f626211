import { binarySamples } from '../emit/binary-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a b, so da = dy b and db = dy a.
 * https://onnx.ai/onnx/operators/onnx__Mul.html
 */
export const mul: GradientRule = {
  op: 'Mul',
  differentiable: 'all',
  samples: binarySamples(),
  backward: (c) => [
    c.wants(0) ? c.b.op('Mul', [c.dy(0), c.x(1)]) : undefined,
    c.wants(1) ? c.b.op('Mul', [c.dy(0), c.x(0)]) : undefined,
  ],
};
