import { intAttribute, intsAttribute } from '../attributes.ts';
import type { Shape } from '../model.ts';
import { dtypeOf, integersOf, lengthOf, misfit, rankedShape } from './context.ts';
import { define, sample, stored } from './define.ts';
import { isKnown } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';
import { windowOf, windowOutput } from './window.ts';

/** Pooling over the axes after batch and channel. */

function poolShape(c: InferContext): Shape | undefined {
  const x = rankedShape(c, 0, 3);
  const kernel = intsAttribute(c.node, 'kernel_shape');
  if (!kernel) misfit(c, 'attribute kernel_shape is missing');
  if (!x) return undefined;
  if (kernel.length !== x.length - 2)
    misfit(c, `kernel_shape has ${kernel.length} entries for ${x.length - 2} axes`);
  const window = windowOf(c, kernel);
  const ceil = intAttribute(c.node, 'ceil_mode', 0) === 1;
  return [x[0]!, x[1]!, ...x.slice(2).map((size, axis) => windowOutput(c, size, window, axis, ceil))];
}

const inferPool = (c: InferContext): ValueType[] => [{ dtype: dtypeOf(c, 0), shape: poolShape(c) }];

function inferGlobal(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 2);
  return [{ dtype: dtypeOf(c, 0), shape: x?.map((dim, axis) => (axis < 2 ? dim : 1)) }];
}

/** Inverse of a MaxPool: x, its indices and optionally the wanted output shape. */
function inferUnpool(c: InferContext): ValueType[] {
  const x = rankedShape(c, 0, 3);
  const wanted = integersOf(c, 2);
  if (wanted) return [{ dtype: dtypeOf(c, 0), shape: wanted }];
  if (c.inputs[2]) {
    const rank = lengthOf(c, 2);
    return [
      { dtype: dtypeOf(c, 0), shape: rank === undefined ? undefined : new Array<string>(rank).fill('') },
    ];
  }
  const w = windowOf(c, intsAttribute(c.node, 'kernel_shape', []));
  const shape = x?.map((dim, i) => {
    if (i < 2) return dim;
    const [kernel, axis] = [w.kernel[i - 2], i - 2];
    if (!isKnown(dim) || !isKnown(kernel)) return '';
    return (dim - 1) * w.strides[axis]! + kernel - w.pads[axis]! - w.pads[axis + w.kernel.length]!;
  });
  return [{ dtype: dtypeOf(c, 0), shape }];
}

const samples = {
  AveragePool: [
    sample([[1, 2, 7, 8]], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }),
    sample([[1, 2, 7, 8]], { kernel_shape: [3, 3], auto_pad: 'SAME_LOWER', strides: [2, 3] }),
    sample([[1, 2, 6, 6]], { kernel_shape: [2, 2], strides: [3, 3], pads: [0, 0, 1, 1], ceil_mode: 1 }),
    sample([[1, 2, 9, 8]], { kernel_shape: [3, 2], dilations: [2, 3], ceil_mode: 1 }, { opset: 19 }),
  ],
  GlobalAveragePool: [sample([[2, 3, 4, 5]])],
  GlobalLpPool: [sample([[2, 3, 4, 5]])],
  GlobalMaxPool: [sample([[2, 3, 4]])],
  LpPool: [sample([[1, 2, 7, 8]], { kernel_shape: [3, 2], strides: [2, 2] })],
  MaxPool: [
    sample([[1, 2, 7, 8]], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }, { outputs: 2 }),
    sample([[1, 2, 7, 8]], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
    sample([[1, 2, 9, 9]], { kernel_shape: [3, 3], dilations: [2, 2] }),
    sample([[1, 1, 5, 5]], { kernel_shape: [2, 2], strides: [3, 3], pads: [0, 0, 1, 1], ceil_mode: 1 }),
  ],
  MaxUnpool: [
    sample([[1, 1, 2, 2], stored('int64', [1, 1, 2, 2], [0, 3, 8, 10])], {
      kernel_shape: [2, 2],
      strides: [2, 2],
    }),
  ],
};

export const pool = define(
  [
    { op: 'AveragePool', infer: inferPool },
    { op: 'GlobalAveragePool', infer: inferGlobal },
    { op: 'GlobalLpPool', infer: inferGlobal },
    { op: 'GlobalMaxPool', infer: inferGlobal },
    { op: 'LpPool', infer: inferPool },
    {
      op: 'MaxPool',
      infer: (c) => {
        const shape = poolShape(c);
        return [
          { dtype: dtypeOf(c, 0), shape },
          { dtype: 'int64', shape },
        ];
      },
    },
    { op: 'MaxUnpool', infer: inferUnpool },
  ],
  samples,
);
