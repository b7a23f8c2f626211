import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = arctan x, so dx = dy / (1 + x^2).
 * https://onnx.ai/onnx/operators/onnx__Atan.html
 */
export const atan = pointwise('Atan', ({ x, dy, m }) => m.div(dy, m.add(m.mul(x, x), 1)), pointwiseSamples());
