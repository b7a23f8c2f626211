import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = sum |x| over axes, so dx = dy sign(x).
 * https://onnx.ai/onnx/operators/onnx__ReduceL1.html
 */
export const reduceL1 = reduction(
  'ReduceL1',
  (r) => r.m.mul(r.dy, r.m.sign(r.x)),
  reductionSamples({ away: [0] }),
);
