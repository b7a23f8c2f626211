import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule, SampleInput } from '../rule.ts';

const x: SampleInput = { shape: [3, 4], range: [-3, 3], away: [-1, 1.5] };

/**
 * y = min(max(x, low), high), low <= high, either bound optional. dx = dy where low < x < high, dlow = dy where
 * x <= low, dhigh = dy where x >= high: at a bound the bound takes the gradient, as ReLU at 0 and ReLU6 in PyTorch and
 * TensorFlow. https://onnx.ai/onnx/operators/onnx__Clip.html
 */
export const clip: GradientRule = {
  op: 'Clip',
  differentiable: 'all',
  samples: [
    {
      name: 'both bounds',
      inputs: [x, { constant: [-1], shape: [] }, { constant: [1.5], shape: [] }],
    },
    { name: 'lower bound', inputs: [x, { constant: [-1], shape: [] }] },
    { name: 'upper bound', inputs: [x, 'omitted', { constant: [1.5], shape: [] }] },
    { name: 'no bound', inputs: [x] },
    {
      name: 'learned bounds',
      inputs: [
        { shape: [3, 4], range: [-3, 3], away: [-1, -0.5, 1, 1.5] },
        { shape: [], range: [-0.99, -0.51] },
        { shape: [], range: [1.01, 1.49] },
      ],
    },
  ],
  backward: (c) => {
    const [x, dy] = [c.x(0), c.dy(0)];
    const m = arithmetic(c.b, c.b.dtype(x));
    const bound = (i: number) => (c.hasX(i) ? c.x(i) : undefined);
    const [low, high] = [bound(1), bound(2)];
    const inside = () => {
      const above = low && m.greater(x, low);
      const below = high && m.less(x, high);
      const within = above && below ? m.and(above, below) : (above ?? below);
      return within ? m.mul(dy, m.mask(within)) : dy;
    };
    const gradients = [c.wants(0) ? inside() : undefined];
    if (low && c.wants(1)) gradients[1] = m.mul(dy, m.mask(m.lessOrEqual(x, low)));
    if (high && c.wants(2)) gradients[2] = m.mul(dy, m.mask(m.greaterOrEqual(x, high)));
    return c.node.inputs.map((_, i) => gradients[i]);
  },
};
