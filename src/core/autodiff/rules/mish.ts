import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x t with t = tanh(softplus(x)); so dx = dy (t + x (1 - t^2) sigmoid(x)).
 * https://onnx.ai/onnx/operators/onnx__Mish.html
 */
export const mish = pointwise(
  'Mish',
  ({ x, dy, m }) => {
    const t = m.tanh(m.softplus(x));
    const bend = m.mul(m.mul(x, m.sigmoid(x)), m.sub(1, m.mul(t, t)));
    return m.mul(dy, m.add(t, bend));
  },
  pointwiseSamples(),
);
