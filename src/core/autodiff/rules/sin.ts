import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = sin x, so dx = dy cos x.
 * https://onnx.ai/onnx/operators/onnx__Sin.html
 */
export const sin = pointwise('Sin', ({ x, dy, m }) => m.mul(dy, m.cos(x)), pointwiseSamples());
