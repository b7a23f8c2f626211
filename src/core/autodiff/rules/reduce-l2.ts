import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = sqrt(sum x^2) over axes, so dx = dy x / y; zero where y is zero (the subgradient of least norm).
 * https://onnx.ai/onnx/operators/onnx__ReduceL2.html
 */
export const reduceL2 = reduction(
  'ReduceL2',
  ({ m, x, y, dy }) => m.mul(m.div(dy, m.add(y, m.mask(m.equal(y, 0)))), x),
  reductionSamples({ range: [0.3, 2] }),
);
