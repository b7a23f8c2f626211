import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule, SampleInput } from '../rule.ts';

const x: SampleInput = { shape: [3, 4], range: [-3, 3], away: [-1, 1.5] };

/**
 * y = min(max(x, low), high), low <= high, either bound optional. dx = dy where low <= x <= high (at a bound x still
 * takes the gradient), which is where y = x: one comparison instead of two and an And. dlow = dy where x < low,
 * dhigh = dy where x > high. https://onnx.ai/onnx/operators/onnx__Clip.html
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
    const inside = () => (low || high ? m.mul(dy, m.mask(m.equal(x, c.y(0)))) : dy);
    const gradients = [c.wants(0) ? inside() : undefined];
    if (low && c.wants(1)) gradients[1] = m.mul(dy, m.mask(m.less(x, low)));
    if (high && c.wants(2)) gradients[2] = m.mul(dy, m.mask(m.greater(x, high)));
    return c.node.inputs.map((_, i) => gradients[i]);
  },
};
