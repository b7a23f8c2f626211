import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = e^x, so dx = dy y.
 * https://onnx.ai/onnx/operators/onnx__Exp.html
 */
export const exp = pointwise('Exp', ({ y, dy, m }) => m.mul(dy, y), pointwiseSamples({ range: [-2, 2] }));
