import { intAttribute } from '../../onnx/attributes.ts';
import { convSamples } from '../emit/conv-samples.ts';
import { convWeightGradient } from '../emit/conv-weight-gradient.ts';
import { convInputGradient } from '../emit/convolve.ts';
import { slidingWindow } from '../emit/sliding-window.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y[n, k, o] = bias[k] + sum over c, i of w[k, c, i] x[n, c, o s + i d - begin]. dx: the transposed convolution of dy;
 * dw: the correlation of x with dy; dbias: the sum of dy over images and positions.
 * https://onnx.ai/onnx/operators/onnx__Conv.html
 */
export const conv: GradientRule = {
  op: 'Conv',
  differentiable: 'all',
  samples: convSamples,
  backward: (c) => {
    const { b, node, target } = c;
    const [x, w, dy] = [c.x(0), c.x(1), c.dy(0)];
    const sizes = (value: string) => b.dims(value).slice(2);
    const window = slidingWindow(node, sizes(w), sizes(x), sizes(dy));
    const group = intAttribute(node, 'group', 1);
    const positions = b.ints([0, ...window.kernel.map((_, i) => i + 2)]);
    return [
      c.wants(0) ? convInputGradient(b, dy, w, window, group) : undefined,
      c.wants(1) ? convWeightGradient({ b, x, dy, window, group, target }) : undefined,
      c.wants(2) ? b.op('ReduceSum', [dy, positions], { keepdims: 0 }) : undefined,
    ];
  },
};
