import type { GraphBuilder } from '../onnx/builder.ts';

/** A zero tensor with the element type and shape of `value`. */
export function zerosLike(b: GraphBuilder, value: string): string {
  return b.op('Expand', [b.constant(0, b.dtype(value)), b.ints(b.dims(value))], {}, { name: 'zeros' });
}
