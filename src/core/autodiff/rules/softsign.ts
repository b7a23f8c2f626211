import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x / (1 + |x|), so dx = dy / (1 + |x|)^2.
 * https://onnx.ai/onnx/operators/onnx__Softsign.html
 */
export const softsign = pointwise(
  'Softsign',
  ({ x, dy, m }) => {
    const d = m.add(m.abs(x), 1);
    return m.div(dy, m.mul(d, d));
  },
  pointwiseSamples({ away: [0] }),
);
