import type { GraphBuilder } from '../onnx/builder.ts';
import { sumLeading } from './emit/sum-leading.ts';

/** Sums `value` over the axes along which `dims` was broadcast to it; the transpose of broadcasting. */
export function sumTo(b: GraphBuilder, value: string, dims: readonly number[]): string {
  const from = b.dims(value);
  const extra = from.length - dims.length;
  const axes = from.map((_, i) => i).filter((i) => i < extra || (dims[i - extra] === 1 && from[i] !== 1));
  if (axes.length === 0) return value;
  if (axes.length === extra) return sumLeading(b, value, extra);
  const summed = b.op('ReduceSum', [value, b.ints(axes)], { keepdims: 1 });
  return extra === 0 ? summed : b.op('Reshape', [summed, b.ints(dims)]);
}
