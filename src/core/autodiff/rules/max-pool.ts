import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule, RuleSample } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';

/**
 * y = the largest x of each window. dy goes to the first cell (row-major) that reaches it; windows that share a winner
 * add up. The engine's own Indices output says which cell that is, counted over the whole of x.
 * https://onnx.ai/onnx/operators/onnx__MaxPool.html
 */
export const maxPool: GradientRule = {
  op: 'MaxPool',
  differentiable: 'all',
  samples: samples(),
  backward: (c) => {
    const { b, node } = c;
    const x = c.x(0);
    const { storage_order: _, ...attributes } = node.attributes;
    const [, indices] = b.ops('MaxPool', [x], attributes, { outputs: 2 });
    const flat = (value: string) => b.op('Reshape', [value, b.ints([sizeOf(b.dims(value))])]);
    const zeros = flat(zerosLike(b, x));
    const added = b.op('ScatterElements', [zeros, flat(indices!), flat(c.dy(0))], {
      axis: 0,
      reduction: 'add',
    });
    return [b.op('Reshape', [added, b.ints(b.dims(x))])];
  },
};

function samples(): RuleSample[] {
  const sample = (
    name: string,
    shape: readonly number[],
    kernel: readonly number[],
    attributes: RuleSample['attributes'] = {},
  ): RuleSample => ({
    name,
    inputs: [{ shape, distinct: true }],
    attributes: { kernel_shape: kernel, ...attributes },
  });
  return [
    sample('2x2', [2, 2, 4, 6], [2, 2], { strides: [2, 2] }),
    sample('overlapping, padded', [2, 2, 5, 6], [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
    sample('stride 1', [1, 2, 4, 4], [3, 2]),
    sample('asymmetric pads, ceil', [1, 2, 6, 5], [3, 2], {
      strides: [2, 3],
      pads: [0, 0, 1, 1],
      ceil_mode: 1,
    }),
    sample('dilated', [1, 1, 6, 6], [2, 2], { dilations: [2, 3] }),
    sample('same upper', [1, 2, 5, 5], [2, 2], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    sample('1-D', [2, 2, 7], [3], { strides: [2] }),
    sample('3-D', [1, 2, 4, 3, 4], [2, 2, 2], { strides: [2, 1, 2] }),
  ];
}
