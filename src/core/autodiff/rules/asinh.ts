import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = arsinh x, so dx = dy / sqrt(x^2 + 1).
 * https://onnx.ai/onnx/operators/onnx__Asinh.html
 */
export const asinh = pointwise(
  'Asinh',
  ({ x, dy, m }) => m.div(dy, m.sqrt(m.add(m.mul(x, x), 1))),
  pointwiseSamples(),
);
