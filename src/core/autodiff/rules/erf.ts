import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = erf(x), so dx = dy 2/sqrt(pi) e^(-x^2), the factor as a summand of the exponent: one pass over the tensor less.
 * https://onnx.ai/onnx/operators/onnx__Erf.html
 */
export const erf = pointwise(
  'Erf',
  ({ x, dy, m }) => m.mul(dy, m.exp(m.sub(Math.log(2 / Math.sqrt(Math.PI)), m.mul(x, x)))),
  pointwiseSamples({ range: [-2, 2] }),
);
