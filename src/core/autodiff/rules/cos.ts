import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = cos x, so dx = -dy sin x.
 * https://onnx.ai/onnx/operators/onnx__Cos.html
 */
export const cos = pointwise('Cos', ({ x, dy, m }) => m.neg(m.mul(dy, m.sin(x))), pointwiseSamples());
