import { intAttribute } from '../../onnx/attributes.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import { fromStart, scatterAdd, steps } from '../emit/scatter-add.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/**
 * y[i] = x[index[i]] with index tuples in the last dimension; dx = dy added where it came from, by flat element
 * positions (tuple times strides, plus the start of its batch entry). https://onnx.ai/onnx/operators/onnx__GatherND.html
 */
export const gatherNd: GradientRule = {
  op: 'GatherND',
  differentiable: [0],
  samples: [
    {
      name: 'elements, repeated',
      inputs: [{ shape: [3, 2] }, { constant: [0, 1, 2, 0, 0, 1, -1, -1], shape: [4, 2], dtype: 'int64' }],
    },
    {
      name: 'rows',
      inputs: [{ shape: [3, 2, 2] }, { constant: [2, 0, 2], shape: [3, 1], dtype: 'int64' }],
    },
    {
      name: 'a batch of rows',
      inputs: [{ shape: [2, 3, 2] }, { constant: [1, 2], shape: [2, 1], dtype: 'int64' }],
      attributes: { batch_dims: 1 },
    },
    {
      name: 'a batch of several',
      inputs: [{ shape: [2, 3] }, { constant: [1, 2, 1, 0, 0, 2], shape: [2, 3, 1], dtype: 'int64' }],
      attributes: { batch_dims: 1 },
    },
  ],
  backward: (c) => [gradient(c), undefined],
};

function gradient(c: RuleContext): string {
  const { b } = c;
  const dims = b.dims(c.x(0));
  const tuples = b.dims(c.x(1));
  const batch = intAttribute(c.node, 'batch_dims', 0);
  const depth = tuples.at(-1)!;
  const pitch = dims.map((_, i) => sizeOf(dims.slice(i + 1)));

  const indexed = dims.slice(batch, batch + depth);
  const index = fromStart(b, c.x(1), b.ints(indexed));
  const places = b.op('Mul', [index, b.ints(pitch.slice(batch, batch + depth))]);
  const starts = b.op('ReduceSum', [places, b.ints([tuples.length - 1])], { keepdims: 1 });
  // x as [batch, picked, inner]; starts count from the beginning of each batch entry.
  const [entries, inner] = [sizeOf(dims.slice(0, batch)), sizeOf(dims.slice(batch + depth))];
  const picked = sizeOf(tuples.slice(batch, -1));
  const column = b.op('Reshape', [starts, b.ints([entries, picked, 1])]);
  const blocks = b.op('Add', [column, steps(b, entries, sizeOf(dims.slice(batch)), 0, 3)]);
  return scatterAdd(b, dims, b.op('Add', [blocks, steps(b, inner, 1, 2, 3)]), c.dy(0));
}
