import { numbers, sizeOf } from '../../onnx/tensor.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import { axisAttribute } from '../emit/axis.ts';
import { fromStart, scatterAdd, steps } from '../emit/scatter-add.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/**
 * y = slices of x along an axis, picked by indices; dx = each slice of dy added where it came from (the gradient of an
 * embedding table). A single known index is a Pad. https://onnx.ai/onnx/operators/onnx__Gather.html
 */
export const gather: GradientRule = {
  op: 'Gather',
  differentiable: [0],
  samples: [
    {
      name: 'embedding, repeated and negative indices',
      inputs: [{ shape: [4, 3] }, { constant: [1, 3, 1, -1, 0, 1], shape: [2, 3], dtype: 'int64' }],
    },
    {
      name: 'middle axis',
      inputs: [{ shape: [2, 4, 3] }, { constant: [2, 0, 2], dtype: 'int64' }],
      attributes: { axis: 1 },
    },
    {
      name: 'last axis, a matrix of indices',
      inputs: [{ shape: [2, 3] }, { constant: [2, 0, -3, 1], shape: [2, 2], dtype: 'int64' }],
      attributes: { axis: -1 },
    },
    {
      name: 'one scalar index drops the axis',
      inputs: [{ shape: [2, 4, 3] }, { constant: [-1], shape: [], dtype: 'int64' }],
      attributes: { axis: 1 },
    },
    { name: 'one index keeps the axis', inputs: [{ shape: [4, 3] }, { constant: [2], dtype: 'int64' }] },
  ],
  backward: (c) => [gradient(c), undefined],
};

function gradient(c: RuleContext): string {
  const { b } = c;
  const dims = b.dims(c.x(0));
  const axis = axisAttribute(c, 0);
  const length = dims[axis]!;
  const known = b.type(c.x(1)).constant;
  const count = sizeOf(b.dims(c.x(1)));
  if (known && count === 1) {
    const index = numbers(known)[0]!;
    const before = index < 0 ? index + length : index;
    const pads = [...dims, ...dims].map(() => 0);
    pads[axis] = before;
    pads[axis + dims.length] = length - 1 - before;
    const kept = b.ints(dims.map((dim, i) => (i === axis ? 1 : dim)));
    return b.op('Pad', [b.op('Reshape', [c.dy(0), kept]), b.ints(pads)]);
  }
  // x as [outer, length, inner], dy as [outer, count, inner]: element (o, k, i) came from (o, index k, i).
  const outer = sizeOf(dims.slice(0, axis));
  const inner = sizeOf(dims.slice(axis + 1));
  const m = arithmetic(b, 'int64');
  const column = b.op('Reshape', [m.cast(c.x(1)), b.ints([1, count, 1])]);
  const rows = m.mul(fromStart(b, column, m.number(length)), inner);
  const blocks = m.add(rows, steps(b, outer, length * inner, 0, 3));
  return scatterAdd(b, dims, m.add(blocks, steps(b, inner, 1, 2, 3)), c.dy(0));
}
