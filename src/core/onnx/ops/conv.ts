import { intAttribute, intsAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { dtypeOf, misfit, rankedShape, shapeOf, sharedDtype } from './context.ts';
import { define, fed, sample, scalar, stored } from './define.ts';
import { isKnown, isStatic, productOf, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';
import { windowOf, windowOutput } from './window.ts';

/**
 * Convolutions: x [N, C, ...in], w [M, C/groups, ...kernel] -> [N, M, ...out]; the transposed one has
 * w [C, M/groups, ...kernel]. https://onnx.ai/onnx/operators/onnx__Conv.html, onnx__ConvTranspose.html
 */

/** Where the operator finds x and w: QLinearConv and ConvInteger interleave scales and zero points. */
interface Layout {
  readonly x: number;
  readonly w: number;
  readonly b: number | undefined;
}

const plain: Layout = { x: 0, w: 1, b: 2 };
const quantized: Layout = { x: 0, w: 3, b: 8 };

function convShape(c: InferContext, at: Layout): Shape | undefined {
  const x = rankedShape(c, at.x, 3);
  const w = rankedShape(c, at.w, 3);
  if (!x || !w) return x && [x[0]!, '', ...x.slice(2).map(() => '')];
  if (x.length !== w.length)
    misfit(c, `data ${showShape(x)} and weights ${showShape(w)} have different ranks`);
  const groups = intAttribute(c.node, 'group', 1);
  if (isKnown(x[1]) && isKnown(w[1]) && x[1] !== w[1] * groups) {
    misfit(c, `data ${showShape(x)} has ${x[1]} channels, but weights ${showShape(w)} want ${w[1] * groups}`);
  }
  if (isKnown(w[0]) && w[0] % groups !== 0) misfit(c, `${w[0]} filters do not divide into ${groups} groups`);
  const b = at.b === undefined ? undefined : shapeOf(c, at.b);
  if (b && isKnown(b[0]) && isKnown(w[0]) && b[0] !== w[0])
    misfit(c, `bias ${showShape(b)} for ${w[0]} filters`);
  const window = windowOf(c, intsAttribute(c.node, 'kernel_shape') ?? w.slice(2));
  return [x[0]!, w[0]!, ...x.slice(2).map((size, axis) => windowOutput(c, size, window, axis))];
}

function transposedShape(c: InferContext): Shape | undefined {
  const x = rankedShape(c, 0, 3);
  const w = rankedShape(c, 1, 3);
  if (!x || !w) return undefined;
  if (x.length !== w.length)
    misfit(c, `data ${showShape(x)} and weights ${showShape(w)} have different ranks`);
  if (isKnown(x[1]) && isKnown(w[0]) && x[1] !== w[0])
    misfit(c, `data ${showShape(x)} has ${x[1]} channels, but weights ${showShape(w)} want ${w[0]}`);
  const window = windowOf(c, intsAttribute(c.node, 'kernel_shape') ?? w.slice(2));
  const rank = x.length - 2;
  const extra = intsAttribute(c.node, 'output_padding', new Array<number>(rank).fill(0));
  const wanted = intsAttribute(c.node, 'output_shape');
  const spatial = x.slice(2).map((size, axis): Dim => {
    if (wanted) return wanted[wanted.length - rank + axis]!;
    const kernel = window.kernel[axis]!;
    if (!isKnown(size)) return '';
    if (window.autoPad.startsWith('SAME')) return size * window.strides[axis]!;
    if (!isKnown(kernel)) return '';
    const padding = window.autoPad === 'VALID' ? 0 : window.pads[axis]! + window.pads[axis + rank]!;
    const reach = (kernel - 1) * window.dilations[axis]! + 1;
    return window.strides[axis]! * (size - 1) + extra[axis]! + reach - padding;
  });
  const groups = intAttribute(c.node, 'group', 1);
  return [x[0]!, isKnown(w[1]) ? w[1] * groups : '', ...spatial];
}

/** Multiply-accumulates: every output element sums C/groups x kernel products. */
const convMacs =
  (at: Layout) =>
  (c: InferContext, outputs: readonly ValueType[]): number => {
    const w = shapeOf(c, at.w);
    const y = outputs[0]?.shape;
    return isStatic(w) && isStatic(y) ? (productOf([...y, ...w.slice(1)]) as number) : 0;
  };

/** Every input element meets M/groups x kernel weights. */
function transposedMacs(c: InferContext): number {
  const x = shapeOf(c, 0);
  const w = shapeOf(c, 1);
  return isStatic(x) && isStatic(w) ? (productOf([...x, ...w.slice(1)]) as number) : 0;
}

const samples = {
  Conv: [
    sample([[2, 4, 9, 8], [6, 2, 3, 3], [6]], {
      group: 2,
      strides: [2, 1],
      pads: [1, 0, 0, 1],
      dilations: [1, 2],
    }),
    sample(
      [
        [1, 2, 7, 6],
        [3, 2, 3, 3],
      ],
      { auto_pad: 'SAME_UPPER', strides: [2, 2] },
    ),
    sample(
      [
        [1, 2, 7],
        [3, 2, 3],
      ],
      { auto_pad: 'VALID' },
    ),
    sample(
      [
        [1, 2, 4, 5, 6],
        [3, 2, 3, 3, 3],
      ],
      { pads: [1, 1, 1, 1, 1, 1] },
    ),
  ],
  ConvInteger: [sample([fed('uint8', [1, 2, 5, 5]), fed('uint8', [3, 2, 3, 3])])],
  ConvTranspose: [
    sample([[1, 4, 5, 6], [4, 3, 3, 3], [3]], {
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      output_padding: [1, 1],
    }),
    sample(
      [
        [1, 4, 5, 6],
        [4, 3, 3, 3],
      ],
      { group: 2, dilations: [2, 1] },
    ),
    sample(
      [
        [1, 2, 5, 6],
        [2, 3, 3, 3],
      ],
      { strides: [2, 2], auto_pad: 'SAME_UPPER' },
    ),
    sample(
      [
        [1, 2, 5, 6],
        [2, 3, 3, 3],
      ],
      { strides: [2, 2], output_shape: [11, 14] },
    ),
  ],
  FusedConv: [sample([[1, 2, 5, 5], [3, 2, 3, 3], [3]], { activation: 'Relu', pads: [1, 1, 1, 1] })],
  QLinearConv: [
    sample([
      fed('uint8', [1, 2, 5, 5]),
      scalar('float32', 0.1),
      scalar('uint8', 3),
      stored('uint8', [2, 2, 3, 3], new Array<number>(36).fill(5)),
      scalar('float32', 0.2),
      scalar('uint8', 1),
      scalar('float32', 0.3),
      scalar('uint8', 0),
    ]),
  ],
};

export const conv = define(
  [
    {
      op: 'Conv',
      infer: (c) => [{ dtype: sharedDtype(c, [0, 1, 2]), shape: convShape(c, plain) }],
      macs: convMacs(plain),
    },
    {
      op: 'ConvInteger',
      infer: (c) => [{ dtype: 'int32', shape: convShape(c, { ...plain, b: undefined }) }],
      macs: convMacs(plain),
    },
    {
      op: 'ConvTranspose',
      infer: (c) => [{ dtype: sharedDtype(c, [0, 1, 2]), shape: transposedShape(c) }],
      macs: transposedMacs,
    },
    {
      op: 'FusedConv',
      domain: 'com.microsoft',
      infer: (c) => [{ dtype: sharedDtype(c, [0, 1, 2]), shape: convShape(c, plain) }],
      macs: convMacs(plain),
    },
    {
      op: 'QLinearConv',
      infer: (c) => [{ dtype: dtypeOf(c, 7), shape: convShape(c, quantized) }],
      macs: convMacs(quantized),
    },
  ],
  samples,
);
