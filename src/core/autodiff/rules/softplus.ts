import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = ln(1 + e^x), so dx = dy sigmoid(x).
 * https://onnx.ai/onnx/operators/onnx__Softplus.html
 */
export const softplus = pointwise('Softplus', ({ x, dy, m }) => m.mul(dy, m.sigmoid(x)), pointwiseSamples());
