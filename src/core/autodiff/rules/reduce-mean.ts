import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = mean of n elements, so every element gets dy / n.
 * https://onnx.ai/onnx/operators/onnx__ReduceMean.html
 */
export const reduceMean = reduction(
  'ReduceMean',
  (r) => r.spread(r.m.mul(r.dy, 1 / r.count)),
  reductionSamples(),
);
