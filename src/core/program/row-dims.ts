import { RetortError } from '../../errors.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Shape } from '../onnx/model.ts';
import type { ValueType } from '../onnx/ops/op.ts';

/** A tensor as it comes out of a run on so many rows. */
export interface SeenTensor {
  readonly rows: number;
  readonly type: ValueType | undefined;
}

interface Wanted {
  readonly dtype: 'floats' | 'float32';
  readonly hint: string;
}

/**
 * Dimensions of one row [D1, ...] of a tensor [N, D1, ...]. Seen with two N, so that a dimension that follows the batch is told
 * from one that happens to be as large. SPEC_INVALID where the rows do not come first, more than they follow the batch, a size
 * is open, there is nothing besides the rows, or the element type is another.
 * @param tensor whose it is and its name, to begin a message with
 */
export function rowDims(tensor: string, seen: readonly SeenTensor[], wanted: Wanted): readonly number[] {
  const refuse = (why: string): never => {
    throw new RetortError('SPEC_INVALID', `${tensor} (${shown(seen)}) ${why}`, { hint: wanted.hint });
  };
  const found = seen.map(({ rows, type: { dtype, shape } = { dtype: undefined, shape: undefined } }) => {
    const fits = wanted.dtype === 'floats' ? isFloat(dtype) : dtype === wanted.dtype;
    if (!fits) return refuse(`holds ${dtype ?? 'no known type'}, not ${wanted.dtype}`);
    if (!shape?.every((dim) => typeof dim === 'number')) return refuse('has dimensions that are not known');
    if (shape[0] !== rows) return refuse('does not have its rows first');
    if (shape.length < 2) return refuse('holds one number for each row');
    return shape.slice(1) as number[];
  });
  if (found.some((own) => own.join() !== found[0]!.join())) refuse('has more than its rows follow the batch');
  return found[0]!;
}

/** A shape with N for what follows the batch, where two runs tell: [4, N, 6]. */
function shown([first, second]: readonly SeenTensor[]): string {
  const [shape, other] = [first?.type?.shape, second?.type?.shape];
  if (!shape) return 'of unknown shape';
  const of = (dim: Shape[number], i: number): string => {
    if (dim === '') return '?';
    const times = Number(dim) / first!.rows;
    const follows = other !== undefined && other[i] !== dim && other[i] === times * second!.rows;
    return follows ? `${times === 1 ? '' : times}N` : `${dim}`;
  };
  return `[${shape.map(of).join(', ')}]`;
}
