import type { NDArray } from '../../core/ndarray.ts';
import { dtypes, type TypedArray } from '../../core/onnx/dtype.ts';
import { sizeOf, typedData } from '../../core/onnx/tensor.ts';
import { invariant, RetortError } from '../../errors.ts';
import { convertArray, toFloat32 } from '../convert-array.ts';
import type { Session } from '../ports.ts';
import { constantTensor } from '../teacher/constant-tensor.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';

/** An output that has one piece per row. */
export interface RowOutput {
  readonly name: string;
  /** Elements per row. */
  readonly size: number;
}

/** Runs a model on rows, whatever batch and element type it wants. */
export class RowSession {
  readonly #session: Session;
  readonly #plan: Pick<TeacherPlan, 'batch' | 'input' | 'constants'>;

  constructor(session: Session, plan: Pick<TeacherPlan, 'batch' | 'input' | 'constants'>) {
    this.#session = session;
    this.#plan = plan;
  }

  /** [n, ...] rows to n pieces of each output, float32, in the order asked for. */
  async run(rows: NDArray, outputs: readonly RowOutput[]): Promise<Float32Array[]> {
    const count = rows.dims[0]!;
    const { batch } = this.#plan;
    if (batch === null) return this.#run(rows, outputs);
    const all = outputs.map(({ size }) => new Float32Array(count * size));
    for (let from = 0; from < count; from += batch) {
      const parts = await this.#run(padded(rows, from, batch), outputs);
      const real = Math.min(batch, count - from);
      outputs.forEach(({ size }, i) => void all[i]!.set(parts[i]!.subarray(0, real * size), from * size));
    }
    return all;
  }

  async #run(rows: NDArray, outputs: readonly RowOutput[]): Promise<Float32Array[]> {
    const { input, constants } = this.#plan;
    const count = rows.dims[0]!;
    const feeds: Record<string, NDArray> = { [input.name]: convertArray(rows, input.dtype) };
    for (const constant of constants) {
      const held = constantTensor(constant, rows.dims);
      feeds[constant.name] = { dtype: held.dtype, dims: held.dims, data: typedData(held) };
    }
    const results = await this.#session.run(
      feeds,
      outputs.map(({ name }) => name),
    );
    return outputs.map(({ name, size }) => {
      const found = results[name];
      invariant(found, `the session returned no "${name}"`);
      const values = toFloat32(found, name);
      if (values.length === count * size) return values;
      throw new RetortError(
        'DATA_MISMATCH',
        `"${name}" is [${found.dims.join(', ')}] for ${count} rows, not ${size} numbers for each`,
      );
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** `size` rows from `from` on; the last row is repeated where there are fewer. */
function padded({ data, dims, dtype }: NDArray, from: number, size: number): NDArray {
  const count = dims[0]!;
  const row = sizeOf(dims.slice(1));
  const source = data as TypedArray;
  const shape = [size, ...dims.slice(1)];
  if (from + size <= count) {
    return { dtype, dims: shape, data: source.subarray(from * row, (from + size) * row) as TypedArray };
  }
  const Ctor = dtypes[dtype].array;
  invariant(Ctor, `rows of ${dtype} cannot be fed`);
  const whole = new Ctor(new ArrayBuffer(size * row * source.BYTES_PER_ELEMENT), 0, size * row);
  for (let i = 0; i < size; i++) {
    const at = Math.min(from + i, count - 1) * row;
    whole.set(source.subarray(at, at + row) as never, i * row);
  }
  return { dtype, dims: shape, data: whole };
}
