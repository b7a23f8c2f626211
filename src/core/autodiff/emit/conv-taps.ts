import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import type { WeightGradient } from './conv-weight-gradient.ts';
import { padded, positions, tap } from './sliding-window.ts';

/** Weight gradients that visit the kernel position by position. P: output positions, M: filters per group. */

/** x's cells at every kernel position, each [N, groups, channels per group, P]. */
function cells({ b, x, window, group }: WeightGradient): string[] {
  const [batch, channels] = b.dims(x) as [number, number];
  const dims = b.ints([batch, group, channels / group, sizeOf(window.output)]);
  const whole = padded(b, x, window);
  return positions(window).map((at) => b.op('Reshape', [tap(b, whole, window, at), dims]));
}

const groupedDy = ({ b, dy, window, group }: WeightGradient): string => {
  const [batch, filters] = b.dims(dy) as [number, number];
  return b.op('Reshape', [dy, b.ints([batch, group, filters / group, sizeOf(window.output)])]);
};

const stack = (b: GraphBuilder, parts: readonly string[], axis: number): string =>
  parts.length === 1 ? parts[0]! : b.op('Concat', parts, { axis });

/** One channel per group: nothing to multiply as matrices, so one product and one sum per kernel position. */
export function depthwiseGradient(g: WeightGradient): string {
  const { b, window } = g;
  const filters = b.dims(g.dy)[1]!;
  const dy = groupedDy(g);
  const sums = cells(g).map((x) => {
    const sum = b.op('ReduceSum', [b.op('Mul', [dy, x]), b.ints([0, 3])], { keepdims: 0 });
    return b.op('Reshape', [sum, b.ints([filters, 1])]);
  });
  return b.op('Reshape', [stack(b, sums, 1), b.ints([filters, 1, ...window.kernel])]);
}

/** One batched matrix product per kernel position, [C, P] by [P, M] per image and group: plain products for CUDA. */
export function tapsGradient(g: WeightGradient): string {
  const { b, window, group } = g;
  const filters = b.dims(g.dy)[1]!;
  const taps = sizeOf(window.kernel);
  const perGroup = b.dims(g.x)[1]! / group;
  const dy = b.op('Transpose', [groupedDy(g)], { perm: [0, 1, 3, 2] });
  const products = cells(g).map((x) =>
    b.op('ReduceSum', [b.op('MatMul', [x, dy]), b.ints([0])], { keepdims: 0 }),
  );
  const split = b.op('Reshape', [stack(b, products, 1), b.ints([group, taps, perGroup, filters / group])]);
  const turned = b.op('Transpose', [split], { perm: [0, 3, 2, 1] });
  return b.op('Reshape', [turned, b.ints([filters, perGroup, ...window.kernel])]);
}
