import { intAttribute } from '../../onnx/attributes.ts';
import { convWeightGradient } from '../emit/conv-weight-gradient.ts';
import { convolve } from '../emit/convolve.ts';
import { transposedWindow } from '../emit/sliding-window.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

/**
 * The transpose (in x) of the convolution with the same w [C, M/group, ...kernel], so that convolution is its gradient,
 * and its weight gradient is the convolution's with x and dy in each other's place.
 * https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
 */
export const convTranspose: GradientRule = {
  op: 'ConvTranspose',
  differentiable: 'all',
  samples: samples(),
  backward: (c) => {
    const { b, node, target } = c;
    const [x, w, dy] = [c.x(0), c.x(1), c.dy(0)];
    const sizes = (value: string) => b.dims(value).slice(2);
    const window = transposedWindow(node, sizes(w), sizes(x), sizes(dy));
    const group = intAttribute(node, 'group', 1);
    const positions = b.ints([0, ...window.kernel.map((_, i) => i + 2)]);
    return [
      c.wants(0) ? convolve(b, dy, w, window, group) : undefined,
      c.wants(1) ? convWeightGradient({ b, x: dy, dy: x, window, group, target }) : undefined,
      c.wants(2) ? b.op('ReduceSum', [dy, positions], { keepdims: 0 }) : undefined,
    ];
  },
};

function samples(): RuleSample[] {
  const sample = (
    name: string,
    x: readonly number[],
    w: readonly number[],
    attributes: RuleSample['attributes'] = {},
    bias?: number,
  ): RuleSample => ({
    name,
    inputs: [{ shape: x }, { shape: w }, ...(bias ? [{ shape: [bias] }] : [])],
    attributes,
  });
  return [
    sample('plain', [2, 3, 3, 4], [3, 2, 2, 3]),
    sample('stride 2 with bias', [2, 3, 3, 3], [3, 2, 2, 2], { strides: [2, 2] }, 2),
    sample('asymmetric pads', [1, 2, 4, 4], [2, 3, 3, 3], { strides: [2, 1], pads: [1, 0, 0, 2] }),
    sample('output padding', [1, 2, 3, 3], [2, 3, 3, 3], {
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      output_padding: [1, 1],
    }),
    sample('groups and dilation', [2, 4, 3, 3], [4, 2, 2, 2], { group: 2, dilations: [2, 1] }, 4),
    sample('depthwise', [2, 3, 3, 3], [3, 1, 3, 3], { group: 3, strides: [2, 2] }),
    sample('output shape', [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 2], output_shape: [6, 6] }),
    sample('same upper', [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    sample('1-D', [2, 5, 4], [5, 3, 3], { strides: [2] }, 3),
    sample('3-D', [1, 2, 2, 3, 2], [2, 2, 2, 2, 2], { strides: [1, 2, 1], pads: [0, 1, 0, 0, 0, 1] }),
  ];
}
