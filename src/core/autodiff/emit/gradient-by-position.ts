import { sizeOf } from '../../onnx/tensor.ts';
import type { WeightGradient } from './conv-weight-gradient.ts';
import { padded, positions, tap } from './sliding-window.ts';

/**
 * The weight gradient position by position of the kernel, from the cells of x it meets, [N, groups, C/groups, P], and dy
 * [N, groups, M, P] (P output positions, M filters per group): a matrix product per image and group, or, where a group has
 * one channel, a product and a sum. For engines that are not fast at the huge kernels of the other form (CUDA).
 */
export function gradientByPosition({ b, x, dy, window, group }: WeightGradient): string {
  const split = (value: string) => {
    const [batch, channels] = b.dims(value) as [number, number];
    return b.op('Reshape', [value, b.ints([batch, group, channels / group, sizeOf(window.output)])]);
  };
  const sum = (value: string, axes: readonly number[]) =>
    b.op('ReduceSum', [value, b.ints(axes)], { keepdims: 0 });
  const [filters, perGroup] = [b.dims(dy)[1]!, b.dims(x)[1]! / group];
  const whole = padded(b, x, window);
  const flatDy = split(dy);
  const made = positions(window).map((at) => {
    const cells = split(tap(b, whole, window, at));
    if (perGroup === 1) return sum(b.op('Mul', [flatDy, cells]), [0, 3]);
    return sum(b.op('MatMul', [flatDy, b.op('Transpose', [cells], { perm: [0, 1, 3, 2] })]), [0]);
  });
  const results = made.map((result) => b.op('Unsqueeze', [result, b.ints([-1])]));
  const stacked = results.length === 1 ? results[0]! : b.op('Concat', results, { axis: -1 });
  return b.op('Reshape', [stacked, b.ints([filters, perGroup, ...window.kernel])]);
}
