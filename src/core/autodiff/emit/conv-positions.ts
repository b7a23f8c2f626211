import { sizeOf } from '../../onnx/tensor.ts';
import type { WeightGradient } from './conv-weight-gradient.ts';
import { padded, positions, tap } from './sliding-window.ts';

/** Weight gradients that visit the kernel position by position. P: output positions, M: filters per group. */

/** One result per kernel position, made of the cells of x it meets, [N, groups, C/groups, P], and dy [N, groups, M, P]. */
function byPosition(g: WeightGradient, make: (x: string, dy: string) => string): string {
  const { b, window, group } = g;
  const split = (value: string) => {
    const [batch, channels] = b.dims(value) as [number, number];
    return b.op('Reshape', [value, b.ints([batch, group, channels / group, sizeOf(window.output)])]);
  };
  const dy = split(g.dy);
  const whole = padded(b, g.x, window);
  const made = positions(window).map((at) => make(split(tap(b, whole, window, at)), dy));
  const results = made.map((result) => b.op('Unsqueeze', [result, b.ints([-1])]));
  const stacked = results.length === 1 ? results[0]! : b.op('Concat', results, { axis: -1 });
  const [filters, perGroup] = [b.dims(g.dy)[1]!, b.dims(g.x)[1]! / group];
  return b.op('Reshape', [stacked, b.ints([filters, perGroup, ...window.kernel])]);
}

/** One channel per group: nothing to multiply as matrices, so a product and a sum, [groups, M]. */
export const depthwiseGradient = (g: WeightGradient): string =>
  byPosition(g, (x, dy) => g.b.op('ReduceSum', [g.b.op('Mul', [dy, x]), g.b.ints([0, 3])], { keepdims: 0 }));

/** A matrix product per image and group, [M, P] by [P, C/groups]: for engines without fast huge kernels (CUDA). */
export const gradientByPosition = (g: WeightGradient): string =>
  byPosition(g, (x, dy) => {
    const turned = g.b.op('Transpose', [x], { perm: [0, 1, 3, 2] });
    return g.b.op('ReduceSum', [g.b.op('MatMul', [dy, turned]), g.b.ints([0])], { keepdims: 0 });
  });
