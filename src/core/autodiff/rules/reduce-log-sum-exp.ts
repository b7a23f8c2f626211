import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = ln(sum e^x) over axes, so dx = dy e^(x - y): dy shared out by softmax, and never an overflow.
 * https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html
 */
export const reduceLogSumExp = reduction(
  'ReduceLogSumExp',
  ({ m, x, y, dy }) => m.mul(dy, m.exp(m.sub(x, y))),
  reductionSamples(),
);
