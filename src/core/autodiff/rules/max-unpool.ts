import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

/**
 * y = zeros, with x written at the places that the indices name, counted over the whole of y. dx is dy at these places.
 * A place that is named twice gives its gradient to both, as in PyTorch, though one of them was overwritten.
 * https://onnx.ai/onnx/operators/onnx__MaxUnpool.html
 */
export const maxUnpool: GradientRule = {
  op: 'MaxUnpool',
  differentiable: [0],
  samples: samples(),
  backward: (c) => {
    const { b } = c;
    const flat = (value: string) => b.op('Reshape', [value, b.ints([sizeOf(b.dims(value))])]);
    const picked = b.op('GatherElements', [flat(c.dy(0)), flat(c.x(1))], { axis: 0 });
    return [
      b.op('Reshape', [picked, b.ints(b.dims(c.x(0)))]),
      ...c.node.inputs.slice(1).map(() => undefined),
    ];
  },
};

function samples(): RuleSample[] {
  const indices = (constant: readonly number[], shape: readonly number[]) =>
    ({ constant, shape, dtype: 'int64' }) as const;
  return [
    {
      name: '2x2',
      inputs: [{ shape: [1, 2, 2, 2] }, indices([5, 2, 8, 15, 16, 23, 29, 30], [1, 2, 2, 2])],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
    {
      name: '1-D, two pictures',
      inputs: [{ shape: [2, 1, 3] }, indices([0, 3, 4, 7, 9, 10], [2, 1, 3])],
      attributes: { kernel_shape: [2], strides: [2] },
    },
    {
      name: 'with the wanted shape',
      inputs: [
        { shape: [1, 1, 2, 2] },
        indices([6, 8, 16, 24], [1, 1, 2, 2]),
        { constant: [1, 1, 5, 5], dtype: 'int64' },
      ],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
  ];
}
