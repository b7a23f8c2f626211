import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = -x, so dx = -dy.
 * https://onnx.ai/onnx/operators/onnx__Neg.html
 */
export const neg = pointwise('Neg', ({ dy, m }) => m.neg(dy), pointwiseSamples());
