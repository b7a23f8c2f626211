import { float, floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/**
 * Local response normalisation over channels of x [N, C, ...]: y = x s^-beta, s = bias + alpha/n A(x^2), A the sum over
 * the n channels around each, from floor((n-1)/2) below to ceil((n-1)/2) above. So
 * dx = dy s^-beta - 2 alpha beta / n x A^T(dy x s^(-beta-1)). A is a banded matrix over channels.
 * https://onnx.ai/onnx/operators/onnx__LRN.html
 */
export const lrn: GradientRule = {
  op: 'LRN',
  differentiable: [0],
  samples: [
    { name: 'narrow window', inputs: [{ shape: [2, 5, 2, 2] }], attributes: { size: 3, alpha: float(0.5) } },
    {
      name: 'wide window, own constants',
      inputs: [{ shape: [1, 6, 2, 2] }],
      attributes: { size: 5, alpha: float(0.3), beta: float(0.5), bias: float(2) },
    },
  ],
  backward: (c) => {
    const { b, node } = c;
    const [x, dy] = [c.x(0), c.dy(0)];
    const m = arithmetic(b, b.dtype(x));
    const dims = b.dims(x);
    const size = intAttribute(node, 'size', 1);
    const share = floatAttribute(node, 'alpha', 1e-4) / size;
    const beta = floatAttribute(node, 'beta', 0.75);
    const flat = b.ints([dims[0]!, dims[1]!, sizeOf(dims.slice(2))]);
    const window = band(c, dims[1]!, size);
    const around = (value: string, matrix: string) =>
      b.op('Reshape', [b.op('MatMul', [matrix, b.op('Reshape', [value, flat])]), b.ints(dims)]);

    const s = m.add(m.mul(around(m.mul(x, x), window), share), floatAttribute(node, 'bias', 1));
    const scaled = m.mul(dy, m.pow(s, -beta));
    const back = b.op('Transpose', [window], { perm: [1, 0] });
    const pull = around(m.div(m.mul(scaled, x), s), back);
    return [m.sub(scaled, m.mul(m.mul(x, 2 * share * beta), pull))];
  },
};

/** [C, C]: 1 where column channel lies in the window of the row channel. */
function band(c: RuleContext, channels: number, size: number): string {
  const { b } = c;
  const below = Math.floor((size - 1) / 2);
  const above = size - 1 - below;
  const ones = b.op('Expand', [b.constant(1, b.dtype(c.x(0))), b.ints([channels, channels])]);
  const upper = b.op('Trilu', [ones, b.constant(-below, 'int64')], { upper: 1 });
  return b.op('Trilu', [upper, b.constant(above, 'int64')], { upper: 0 });
}
