import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = tan x, so dx = dy (1 + y^2).
 * https://onnx.ai/onnx/operators/onnx__Tan.html
 */
export const tan = pointwise(
  'Tan',
  ({ y, dy, m }) => m.mul(dy, m.add(m.mul(y, y), 1)),
  pointwiseSamples({ range: [-1.2, 1.2] }),
);
