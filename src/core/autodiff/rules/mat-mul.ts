import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

const sample = (name: string, left: readonly number[], right: readonly number[]): RuleSample => ({
  name,
  inputs: [{ shape: left }, { shape: right }],
});

/**
 * Y = A B over the last two axes, the ones before broadcast. dA = dY B^T, dB = A^T dY, summed where they were broadcast.
 * A vector stands for a matrix with one row (left) or one column (right).
 * https://onnx.ai/onnx/operators/onnx__MatMul.html
 */
export const matMul: GradientRule = {
  op: 'MatMul',
  differentiable: 'all',
  samples: [
    sample('matrices', [3, 4], [4, 2]),
    sample('batch', [2, 3, 4], [2, 4, 5]),
    sample('batch by matrix', [2, 3, 4], [4, 5]),
    sample('matrix by batch', [3, 4], [2, 4, 5]),
    sample('both batches stretched', [2, 1, 3, 4], [3, 4, 2]),
    sample('vectors', [4], [4]),
    sample('vector by matrix', [4], [4, 3]),
    sample('vector by batch', [4], [2, 4, 3]),
    sample('matrix by vector', [3, 4], [4]),
    sample('batch by vector', [2, 3, 4], [4]),
  ],
  backward: (c) => {
    const { b } = c;
    const [leftDims, rightDims, yDims] = [b.dims(c.x(0)), b.dims(c.x(1)), b.dims(c.y(0))];
    const [row, column] = [leftDims.length === 1, rightDims.length === 1];
    const left = row ? reshape(b, c.x(0), [1, ...leftDims]) : c.x(0);
    const right = column ? reshape(b, c.x(1), [...rightDims, 1]) : c.x(1);
    const batch = yDims.slice(0, yDims.length - (row ? 0 : 1) - (column ? 0 : 1));
    const [rows, inner] = b.dims(left).slice(-2) as [number, number];
    const columns = b.dims(right).at(-1)!;
    const dy = reshape(b, c.dy(0), [...batch, rows, columns]);
    // One matrix on the right: the batch only makes the left one taller, so a single Gemm does.
    const tall = b.dims(right).length === 2;
    const flat = (value: string, width: number) => reshape(b, value, [sizeOf(b.dims(value)) / width, width]);

    const dLeft = () =>
      tall
        ? b.op('Gemm', [flat(dy, columns), right], { transB: 1 })
        : b.op('MatMul', [dy, transposed(b, right)]);
    const dRight = () =>
      tall
        ? b.op('Gemm', [flat(left, inner), flat(dy, columns)], { transA: 1 })
        : b.op('MatMul', [transposed(b, left), dy]);
    const lead = tall ? [] : batch;
    return [
      c.wants(0) ? reshape(b, dLeft(), row ? [...batch, inner] : [...batch, rows, inner]) : undefined,
      c.wants(1) ? reshape(b, dRight(), column ? [...lead, inner] : [...lead, inner, columns]) : undefined,
    ];
  },
};

const reshape = (b: GraphBuilder, value: string, dims: readonly number[]): string =>
  b.dims(value).join() === dims.join() ? value : b.op('Reshape', [value, b.ints(dims)]);

function transposed(b: GraphBuilder, value: string): string {
  const perm = b.dims(value).map((_, i) => i);
  return b.op('Transpose', [value], { perm: [...perm.slice(0, -2), perm.length - 1, perm.length - 2] });
}
