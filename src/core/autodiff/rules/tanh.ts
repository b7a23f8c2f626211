import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = tanh x, so dx = dy (1 - y^2).
 * https://onnx.ai/onnx/operators/onnx__Tanh.html
 */
export const tanh = pointwise(
  'Tanh',
  ({ y, dy, m }) => m.mul(dy, m.sub(1, m.mul(y, y))),
  pointwiseSamples({ range: [-2, 2] }),
);
