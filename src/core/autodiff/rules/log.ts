import { pointwise, pointwiseSamples } from '../emit/pointwise.ts';

/**
 * y = ln x, so dx = dy / x.
 * https://onnx.ai/onnx/operators/onnx__Log.html
 */
export const log = pointwise('Log', ({ x, dy, m }) => m.div(dy, x), pointwiseSamples({ range: [0.4, 4] }));
