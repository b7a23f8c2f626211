import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = sum x^2 over axes, so dx = 2 dy x.
 * https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html
 */
export const reduceSumSquare = reduction(
  'ReduceSumSquare',
  ({ m, x, dy }) => m.mul(m.mul(dy, 2), x),
  reductionSamples(),
);
