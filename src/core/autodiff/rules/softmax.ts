import { arithmetic } from '../emit/arithmetic.ts';
import { axisAttribute } from '../emit/axis.ts';
import { softmaxSamples } from '../emit/softmax-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = e^x / sum e^x along an axis, so dx = y (dy - sum(dy y)).
 * https://onnx.ai/onnx/operators/onnx__Softmax.html
 */
export const softmax: GradientRule = {
  op: 'Softmax',
  differentiable: [0],
  samples: softmaxSamples,
  backward: (c) => {
    const { b } = c;
    const [y, dy] = [c.y(0), c.dy(0)];
    const m = arithmetic(b, b.dtype(y));
    const axis = axisAttribute(c, -1);
    const shared = b.op('ReduceSum', [m.mul(dy, y), b.ints([axis])], { keepdims: 1 });
    return [m.mul(y, m.sub(dy, shared))];
  },
};
