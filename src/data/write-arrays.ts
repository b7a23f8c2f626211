import type { NDArray } from '../core/ndarray.ts';
import type { TypedArray } from '../core/onnx/dtype.ts';
import { RetortError } from '../errors.ts';
import type { InputPlan } from './preprocess.ts';

export interface ArraysRequest {
  /** Of the teacher's input, for messages. */
  readonly name: string;
  readonly input: InputPlan;
  /** Of the dataset, one per row to be written. */
  readonly rows: ArrayLike<number>;
  /** Of each row in its mix with its partner; float32 inputs only. */
  readonly weights: Float64Array | undefined;
}

/**
 * Rows of an array column, their partners behind them where they are mixed, as an input takes them:
 * x -> (x * scale - mean) / std over the last dimension; whole numbers as they are where nothing is declared.
 */
export function writeArrays(request: ArraysRequest, raw: NDArray, out: NDArray): void {
  const { input, weights } = request;
  const source = raw.data as TypedArray;
  const target = out.data as TypedArray;
  const { dtype, scale, mean, std } = input;
  const isPlain = scale === 1 && mean.every((m) => m === 0) && std.every((s) => s === 1);
  if (dtype !== 'float32' && isPlain) {
    writeWhole(request, limits[dtype], source, target);
    return;
  }
  const width = Math.max(mean.length, std.length);
  const normal = (i: number): number => {
    const c = i % width;
    return (Number(source[i]) * scale - (mean[c] ?? mean[0]!)) / (std[c] ?? std[0]!);
  };
  const size = target.length / out.dims[0]!;
  for (let i = 0; i < target.length; i++) {
    const weight = weights?.[Math.floor(i / size)];
    target[i] =
      weight === undefined ? normal(i) : weight * normal(i) + (1 - weight) * normal(target.length + i);
  }
}

/** What an integer type holds; of int64 what a JavaScript number says exactly. */
const limits = {
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

/** DATA_MISMATCH for a number that the input does not hold: it would be cut off or wrap to another id. */
function writeWhole(
  { name, input: { column, dtype }, rows }: ArraysRequest,
  [least, greatest]: readonly [number, number],
  source: TypedArray,
  target: TypedArray,
): void {
  if (source instanceof BigInt64Array && target instanceof BigInt64Array) {
    target.set(source);
    return;
  }
  for (let i = 0; i < target.length; i++) {
    const value = Number(source[i]);
    if (!Number.isInteger(value) || value < least || value > greatest) {
      const row = rows[Math.floor((i * rows.length) / target.length)];
      throw new RetortError(
        'DATA_MISMATCH',
        `input ${name} takes whole numbers (${dtype}), row ${row} of column ${column} holds ${source[i]}`,
        { hint: 'Name the column that fits in inputs, or store in it what the teacher was trained on.' },
      );
    }
    if (target instanceof BigInt64Array || target instanceof BigUint64Array) target[i] = BigInt(value);
    else target[i] = value;
  }
}
