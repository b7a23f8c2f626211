import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = arcsin x, so dx = dy / sqrt(1 - x^2).
 * https://onnx.ai/onnx/operators/onnx__Asin.html
 */
export const asin = pointwise(
  'Asin',
  ({ x, dy, m }) => m.div(dy, m.sqrt(m.sub(1, m.mul(x, x)))),
  pointwiseSamples({ range: [-0.8, 0.8] }),
);
