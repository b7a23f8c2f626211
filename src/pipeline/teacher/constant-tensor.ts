import { sizeOf, type Tensor, tensor } from '../../core/onnx/tensor.ts';
import type { ConstantInput } from './teacher-plan.ts';

/** What a constant input holds for a batch of rows: its numbers, repeated. */
export function constantTensor({ dtype, dims, values }: ConstantInput, batch: number): Tensor {
  const shape = dims.map((dim) => (dim === -1 ? batch : dim));
  const all = Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]!);
  return tensor(dtype, shape, all);
}
