import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = sqrt(x), so dx = dy / (2 y); infinite at zero, as the slope is.
 * https://onnx.ai/onnx/operators/onnx__Sqrt.html
 */
export const sqrt = pointwise(
  'Sqrt',
  ({ y, dy, m }) => m.div(m.mul(dy, 0.5), y),
  pointwiseSamples({ range: [0.3, 4] }),
);
