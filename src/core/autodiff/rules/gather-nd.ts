import { intAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import type { GradientRule } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';

/**
 * y[i] = x[index[i]] with index tuples in the last dimension; dx = dy added where it came from. Leading batch dimensions,
 * which ScatterND has not, become part of the tuples. https://onnx.ai/onnx/operators/onnx__GatherND.html
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
  backward: (c) => {
    const tuples = withBatch(c.b, c.x(1), intAttribute(c.node, 'batch_dims', 0));
    const zeros = zerosLike(c.b, c.x(0));
    return [c.b.op('ScatterND', [zeros, tuples, c.dy(0)], { reduction: 'add' }), undefined];
  },
};

/** Index tuples with their batch coordinates put in front. */
function withBatch(b: GraphBuilder, indices: string, batchDims: number): string {
  if (batchDims === 0) return indices;
  const dims = b.dims(indices);
  const batch = dims.slice(0, batchDims);
  const coordinates = Array.from({ length: sizeOf(batch) }, (_, n) =>
    batch.map((dim, i) => Math.floor(n / sizeOf(batch.slice(i + 1))) % dim),
  ).flat();
  const inner = dims.slice(batchDims, -1);
  const constant = b.constant(coordinates, 'int64', [...batch, ...inner.map(() => 1), batchDims]);
  const spread = b.op('Expand', [constant, b.ints([...batch, ...inner, batchDims])]);
  return b.op('Concat', [spread, indices], { axis: dims.length - 1 });
}
