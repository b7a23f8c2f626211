import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = sinh x, so dx = dy cosh x.
 * https://onnx.ai/onnx/operators/onnx__Sinh.html
 */
export const sinh = pointwise(
  'Sinh',
  ({ x, dy, m }) => m.mul(dy, m.cosh(x)),
  pointwiseSamples({ range: [-2, 2] }),
);
