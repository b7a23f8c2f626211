import { numbers, sizeOf } from '../../onnx/tensor.ts';
import { axisAttribute } from '../emit/axis.ts';
import { scatterRows } from '../emit/row-scatter.ts';
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
  const known = b.type(c.x(1)).constant;
  const count = sizeOf(b.dims(c.x(1)));
  const stacked = [...dims.slice(0, axis), count, ...dims.slice(axis + 1)];
  const rows =
    b.dims(c.dy(0)).join() === stacked.join() ? c.dy(0) : b.op('Reshape', [c.dy(0), b.ints(stacked)]);
  if (!known || count !== 1) return scatterRows(b, dims, rows, c.x(1), axis);

  const index = numbers(known)[0]!;
  const before = index < 0 ? index + dims[axis]! : index;
  const pads = [...dims, ...dims].map(() => 0);
  pads[axis] = before;
  pads[axis + dims.length] = dims[axis]! - 1 - before;
  return b.op('Pad', [rows, b.ints(pads)]);
}
