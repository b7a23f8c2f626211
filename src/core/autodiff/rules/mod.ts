import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a - b q with q = a / b rounded towards zero (of floats, fmod = 1), so da = dy and db = -dy q, q = (a - y) / b.
 * https://onnx.ai/onnx/operators/onnx__Mod.html
 */
export const mod: GradientRule = {
  op: 'Mod',
  differentiable: 'all',
  samples: [
    {
      name: 'equal shapes',
      // Quotients stay clear of whole numbers, where the remainder jumps.
      inputs: [
        { shape: [2, 3], range: [2.1, 2.4] },
        { shape: [2, 3], range: [0.85, 0.95] },
      ],
      attributes: { fmod: 1 },
    },
    {
      name: 'a negative dividend, one divisor',
      inputs: [
        { shape: [2, 3], range: [-2.4, -2.1] },
        { shape: [1], range: [0.85, 0.95] },
      ],
      attributes: { fmod: 1 },
    },
  ],
  backward: (c) => {
    const m = arithmetic(c.b, c.b.dtype(c.x(0)));
    const turns = () => m.div(m.sub(c.x(0), c.y(0)), c.x(1));
    return [c.dy(0), c.wants(1) ? m.neg(m.mul(c.dy(0), turns())) : undefined];
  },
};
