import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = arccos x, so dx = -dy / sqrt(1 - x^2).
 * https://onnx.ai/onnx/operators/onnx__Acos.html
 */
export const acos = pointwise(
  'Acos',
  ({ x, dy, m }) => m.neg(m.div(dy, m.sqrt(m.sub(1, m.mul(x, x))))),
  pointwiseSamples({ range: [-0.8, 0.8] }),
);
