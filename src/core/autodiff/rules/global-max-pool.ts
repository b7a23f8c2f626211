import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';

/**
 * y = the largest x of each channel; dy goes to the first cell that reaches it.
 * https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html
 */
export const globalMaxPool: GradientRule = {
  op: 'GlobalMaxPool',
  differentiable: 'all',
  samples: [
    { name: '2-D', inputs: [{ shape: [2, 3, 3, 4], distinct: true }] },
    { name: '1-D', inputs: [{ shape: [2, 3, 5], distinct: true }] },
    { name: '3-D', inputs: [{ shape: [1, 2, 2, 3, 2], distinct: true }] },
  ],
  backward: (c) => {
    const { b } = c;
    const dims = b.dims(c.x(0));
    const rows = [dims[0]!, dims[1]!];
    const flat = b.op('Reshape', [c.x(0), b.ints([...rows, sizeOf(dims.slice(2))])]);
    const winner = b.op('ArgMax', [flat], { axis: 2, keepdims: 1 });
    const dy = b.op('Reshape', [c.dy(0), b.ints([...rows, 1])]);
    const placed = b.op('ScatterElements', [zerosLike(b, flat), winner, dy], { axis: 2 });
    return [b.op('Reshape', [placed, b.ints(dims)])];
  },
};
