import { intsAttribute } from '../../onnx/attributes.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = x with axis i taken from perm[i] (default: reversed); dx is dy under the inverse permutation.
 * https://onnx.ai/onnx/operators/onnx__Transpose.html
 */
export const transpose: GradientRule = {
  op: 'Transpose',
  differentiable: [0],
  samples: [
    { name: 'reversed by default', inputs: [{ shape: [2, 3, 4] }] },
    { name: 'a cycle', inputs: [{ shape: [2, 3, 4] }], attributes: { perm: [1, 2, 0] } },
    { name: 'a swap', inputs: [{ shape: [2, 3, 2, 2] }], attributes: { perm: [0, 2, 1, 3] } },
  ],
  backward: (c) => {
    const rank = c.b.dims(c.x(0)).length;
    const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
    const perm = intsAttribute(c.node, 'perm', reversed);
    return [c.b.op('Transpose', [c.dy(0)], { perm: perm.map((_, i) => perm.indexOf(i)) })];
  },
};
