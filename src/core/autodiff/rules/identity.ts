import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = x, so dx = dy.
 * https://onnx.ai/onnx/operators/onnx__Identity.html
 */
export const identity = pointwise('Identity', ({ dy }) => dy, pointwiseSamples());
