import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = 1 / (1 + e^-x), so dx = dy y (1 - y).
 * https://onnx.ai/onnx/operators/onnx__Sigmoid.html
 */
export const sigmoid = pointwise(
  'Sigmoid',
  ({ y, dy, m }) => m.mul(dy, m.mul(y, m.sub(1, y))),
  pointwiseSamples(),
);
