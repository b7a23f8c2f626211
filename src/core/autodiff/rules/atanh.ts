import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = artanh x, so dx = dy / (1 - x^2).
 * https://onnx.ai/onnx/operators/onnx__Atanh.html
 */
export const atanh = pointwise(
  'Atanh',
  ({ x, dy, m }) => m.div(dy, m.sub(1, m.mul(x, x))),
  pointwiseSamples({ range: [-0.8, 0.8] }),
);
