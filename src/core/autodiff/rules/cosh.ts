import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = cosh x, so dx = dy sinh x.
 * https://onnx.ai/onnx/operators/onnx__Cosh.html
 */
export const cosh = pointwise(
  'Cosh',
  ({ x, dy, m }) => m.mul(dy, m.sinh(x)),
  pointwiseSamples({ range: [-2, 2] }),
);
