import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = max(0, x), so dx = dy where y > 0, else 0. Greater, Cast, Mul beat Where and Sign on CPUs (1.2 against 1.7 and
 * 2.0 ms for 6.4 MB, onnxruntime 1.30).
 * https://onnx.ai/onnx/operators/onnx__Relu.html
 */
export const relu = pointwise(
  'Relu',
  ({ y, dy, m }) => m.mul(dy, m.mask(m.greater(y, 0))),
  pointwiseSamples({ away: [0] }),
);
