import { numbers } from '../../onnx/tensor.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x repeated r_i times along axis i; dx = the sum of the copies: axis i is split into [r_i, d_i] and summed over r_i.
 * https://onnx.ai/onnx/operators/onnx__Tile.html
 */
export const tile: GradientRule = {
  op: 'Tile',
  differentiable: [0],
  samples: [
    { name: 'one axis', inputs: [{ shape: [2, 3] }, { constant: [1, 2], dtype: 'int64' }] },
    { name: 'all axes', inputs: [{ shape: [2, 1, 3] }, { constant: [2, 3, 2], dtype: 'int64' }] },
    { name: 'once', inputs: [{ shape: [2, 3] }, { constant: [1, 1], dtype: 'int64' }] },
  ],
  backward: (c) => {
    const dims = c.b.dims(c.x(0));
    const repeats = numbers(c.constant(1));
    const apart: number[] = [];
    const axes: number[] = [];
    dims.forEach((dim, i) => {
      if (repeats[i] !== 1) {
        axes.push(apart.length);
        apart.push(repeats[i]!);
      }
      apart.push(dim);
    });
    if (axes.length === 0) return [c.dy(0), undefined];
    const copies = c.b.op('Reshape', [c.dy(0), c.b.ints(apart)]);
    return [c.b.op('ReduceSum', [copies, c.b.ints(axes)], { keepdims: 0 }), undefined];
  },
};
