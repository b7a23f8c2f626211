import type { Dim, ValueInfo } from '../../core/onnx/model.ts';
import { sizeOf, type Tensor, tensor } from '../../core/onnx/tensor.ts';
import { RetortError } from '../../errors.ts';
import type { ConstantInput } from './teacher-plan.ts';

/** Which dimension of the rows the i-th of another input follows: the first one the batch, others by name; -1 for none. */
export const alongRows = (dim: Dim, i: number, rows: Pick<ValueInfo, 'shape'>): number =>
  typeof dim === 'number' || (i > 0 && dim === '') ? -1 : i === 0 ? 0 : (rows.shape ?? []).indexOf(dim);

/** The shape of a constant beside rows [N, ...]. */
export const constantDims = <D extends Dim>(
  { dims }: Pick<ConstantInput, 'dims'>,
  rows: readonly D[],
): (number | D)[] => dims.map((dim) => (dim < 0 ? rows[-1 - dim]! : dim));

/**
 * What a constant input holds beside rows [N, ...]: its numbers, repeated. SPEC_INVALID where they do not fill a row evenly:
 * rows would get different ones.
 */
export function constantTensor(constant: ConstantInput, rows: readonly number[]): Tensor {
  const { name, dtype, values } = constant;
  const row = sizeOf(constantDims(constant, [1, ...rows.slice(1)]));
  if (row % values.length !== 0) {
    throw new RetortError(
      'SPEC_INVALID',
      `/inputs/${name}/constant: ${values.length} numbers for a row of ${row}`,
      { hint: 'Give one for all, or as many as fill a row.' },
    );
  }
  const dims = constantDims(constant, rows);
  const all = Array.from({ length: sizeOf(dims) }, (_, i) => values[i % values.length]!);
  return tensor(dtype, dims, all);
}
