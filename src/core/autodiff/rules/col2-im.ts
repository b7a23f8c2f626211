import { numbers } from '../../onnx/tensor.ts';
import { columnsOf, toColumns } from '../emit/columns.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

/**
 * y adds up windows, given as columns, where they overlap (fold in PyTorch). dx is dy's windows as columns.
 * https://onnx.ai/onnx/operators/onnx__Col2Im.html
 */
export const col2Im: GradientRule = {
  op: 'Col2Im',
  differentiable: [0],
  samples: samples(),
  backward: (c) => {
    const [image, block] = [numbers(c.constant(1)), numbers(c.constant(2))];
    return [toColumns(c.b, c.dy(0), columnsOf(c.node, c.b.dims(c.x(0)), image, block)), undefined, undefined];
  },
};

function samples(): RuleSample[] {
  const sample = (
    name: string,
    shape: readonly number[],
    image: readonly number[],
    block: readonly number[],
    attributes: RuleSample['attributes'] = {},
  ): RuleSample => ({
    name,
    inputs: [{ shape }, { constant: image, dtype: 'int64' }, { constant: block, dtype: 'int64' }],
    attributes,
  });
  return [
    sample('overlapping', [2, 8, 4], [3, 3], [2, 2]),
    sample('apart', [1, 8, 6], [4, 6], [2, 2], { strides: [2, 2] }),
    sample('padded, dilated, rows left over', [1, 12, 6], [5, 6], [2, 3], {
      strides: [2, 2],
      pads: [0, 1, 1, 0],
      dilations: [2, 1],
    }),
    sample('1-D', [1, 6, 4], [8], [3], { strides: [2], pads: [1, 0] }),
    sample('3-D', [1, 8, 4], [3, 2, 3], [2, 2, 2]),
  ];
}
