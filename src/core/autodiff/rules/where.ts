import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = a where the condition holds, else b; so da = dy there and db = dy elsewhere, zero otherwise. Selected, not
 * multiplied by a mask: dy may be infinite on the side that is not taken. https://onnx.ai/onnx/operators/onnx__Where.html
 */
export const where: GradientRule = {
  op: 'Where',
  differentiable: [1, 2],
  samples: [
    {
      name: 'equal shapes',
      inputs: [
        { constant: [1, 0, 1, 0, 0, 1], shape: [2, 3], dtype: 'bool' },
        { shape: [2, 3] },
        { shape: [2, 3] },
      ],
    },
    {
      name: 'all three broadcast',
      inputs: [{ constant: [1, 0], shape: [2, 1, 1], dtype: 'bool' }, { shape: [3, 1] }, { shape: [4] }],
    },
    {
      name: 'masked with a constant',
      inputs: [{ constant: [1, 0, 0], dtype: 'bool' }, { constant: [-1e4], shape: [] }, { shape: [2, 3] }],
    },
  ],
  backward: (c) => {
    const [condition, dy] = [c.x(0), c.dy(0)];
    const m = arithmetic(c.b, c.b.dtype(c.y(0)));
    return [
      undefined,
      c.wants(1) ? m.where(condition, dy, 0) : undefined,
      c.wants(2) ? m.where(condition, 0, dy) : undefined,
    ];
  },
};
