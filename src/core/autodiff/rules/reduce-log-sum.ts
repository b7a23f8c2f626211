import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = ln(sum x) over axes, so every element gets dy / sum = dy e^-y.
 * https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html
 */
export const reduceLogSum = reduction(
  'ReduceLogSum',
  (r) => r.spread(r.m.mul(r.dy, r.m.exp(r.m.neg(r.y)))),
  reductionSamples({ range: [0.4, 3] }),
);
