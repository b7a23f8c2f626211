import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = arcosh x, so dx = dy / sqrt(x^2 - 1).
 * https://onnx.ai/onnx/operators/onnx__Acosh.html
 */
export const acosh = pointwise(
  'Acosh',
  ({ x, dy, m }) => m.div(dy, m.sqrt(m.sub(m.mul(x, x), 1))),
  pointwiseSamples({ range: [1.3, 4] }),
);
