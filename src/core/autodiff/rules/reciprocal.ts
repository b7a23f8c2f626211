import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = 1/x, so dx = -dy y^2.
 * https://onnx.ai/onnx/operators/onnx__Reciprocal.html
 */
export const reciprocal = pointwise('Reciprocal', ({ y, dy, m }) => m.neg(m.mul(dy, m.mul(y, y))), [
  ...pointwiseSamples({ name: 'positive', range: [0.5, 3] }),
  ...pointwiseSamples({ name: 'negative', range: [-3, -0.5] }),
]);
