import { binarySamples } from '../emit/binary-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a / b, so da = dy / b and db = -dy a / b^2 = -da y.
 * https://onnx.ai/onnx/operators/onnx__Div.html
 */
export const div: GradientRule = {
  op: 'Div',
  differentiable: 'all',
  samples: binarySamples({ second: [0.6, 2.5] }),
  backward: (c) => {
    const da = c.b.op('Div', [c.dy(0), c.x(1)]);
    return [da, c.wants(1) ? c.b.op('Neg', [c.b.op('Mul', [da, c.y(0)])]) : undefined];
  },
};
