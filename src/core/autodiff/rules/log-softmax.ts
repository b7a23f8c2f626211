import { arithmetic } from '../emit/arithmetic.ts';
import { axisAttribute } from '../emit/axis.ts';
import { softmaxSamples } from '../emit/softmax-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x - ln(sum e^x) along an axis, so dx = dy - e^y sum(dy).
 * https://onnx.ai/onnx/operators/onnx__LogSoftmax.html
 */
export const logSoftmax: GradientRule = {
  op: 'LogSoftmax',
  differentiable: [0],
  samples: softmaxSamples,
  backward: (c) => {
    const { b } = c;
    const [y, dy] = [c.y(0), c.dy(0)];
    const m = arithmetic(b, b.dtype(y));
    const axis = axisAttribute(c, -1);
    const shared = b.op('ReduceSum', [dy, b.ints([axis])], { keepdims: 1 });
    return [m.sub(dy, m.mul(m.exp(y), shared))];
  },
};
