import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = sum of x over axes, so every element gets dy.
 * https://onnx.ai/onnx/operators/onnx__ReduceSum.html
 */
export const reduceSum = reduction('ReduceSum', (r) => r.spread(r.dy), reductionSamples());
