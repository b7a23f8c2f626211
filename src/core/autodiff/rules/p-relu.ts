import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x where x > 0, else slope x; so dx = dy where x > 0, else slope dy, and dslope = dy min(x, 0).
 * The slope broadcasts to x. https://onnx.ai/onnx/operators/onnx__PRelu.html
 */
export const pRelu: GradientRule = {
  op: 'PRelu',
  differentiable: 'all',
  samples: [[2, 3, 4], [3, 1], [1], []].map((slope) => ({
    name: `slope [${slope.join(', ')}]`,
    inputs: [
      { shape: [2, 3, 4], away: [0] },
      { shape: slope, range: [0.1, 0.5] },
    ],
  })),
  backward: (c) => {
    const [x, slope, dy] = [c.x(0), c.x(1), c.dy(0)];
    const m = arithmetic(c.b, c.b.dtype(x));
    return [
      c.wants(0) ? m.where(m.greater(x, 0), dy, m.mul(dy, slope)) : undefined,
      c.wants(1) ? m.mul(dy, m.min(x, 0)) : undefined,
    ];
  },
};
