import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule } from '../rule.ts';

/** y = mean of x per channel; dx = dy / cells. https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
export const globalAveragePool: GradientRule = {
  op: 'GlobalAveragePool',
  differentiable: 'all',
  samples: [
    { name: '2-D', inputs: [{ shape: [2, 3, 3, 4] }] },
    { name: '1-D', inputs: [{ shape: [2, 3, 5] }] },
    { name: '3-D', inputs: [{ shape: [1, 2, 2, 3, 2] }] },
  ],
  backward: (c) => {
    const { b } = c;
    const dims = b.dims(c.x(0));
    const share = b.op('Mul', [c.dy(0), b.constant(1 / sizeOf(dims.slice(2)), b.dtype(c.dy(0)))]);
    return [b.op('Expand', [share, b.ints(dims)])];
  },
};
