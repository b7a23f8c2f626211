import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = erf(x), so dx = dy 2/sqrt(pi) e^(-x^2).
 * https://onnx.ai/onnx/operators/onnx__Erf.html
 */
export const erf = pointwise(
  'Erf',
  ({ x, dy, m }) => m.mul(dy, m.mul(m.exp(m.neg(m.mul(x, x))), 2 / Math.sqrt(Math.PI))),
  pointwiseSamples({ range: [-2, 2] }),
);
