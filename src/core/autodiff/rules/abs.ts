import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = |x|, so dx = dy sign(x); zero at the kink.
 * https://onnx.ai/onnx/operators/onnx__Abs.html
 */
export const abs = pointwise('Abs', ({ x, dy, m }) => m.mul(dy, m.sign(x)), pointwiseSamples({ away: [0] }));
