import type { NDArray } from '../core/ndarray.ts';
import { dtypes, type TypedArray } from '../core/onnx/dtype.ts';
import { sizeOf } from '../core/onnx/tensor.ts';
import { invariant, RetortError } from '../errors.ts';
import { convertArray, toFloat32 } from './convert-array.ts';
import type { Session } from './ports.ts';
import type { ConstantInput, TeacherPlan } from './teacher-plan.ts';

/** What a Scorer needs to know of a model: part of a TeacherPlan. */
export type ScorerPlan = Pick<TeacherPlan, 'batch' | 'input' | 'constants' | 'scores'>;

/** Smallest probability whose logarithm is taken. */
const TINY = 1e-30;

/** Class scores of a model on batches of rows, whatever batch, element type and rank it wants. */
export class Scorer {
  readonly #session: Session;
  readonly #plan: ScorerPlan;

  constructor(session: Session, plan: ScorerPlan) {
    this.#session = session;
    this.#plan = plan;
  }

  /** [n, ...] rows to [n, classes] logits, float32. */
  async logits(rows: NDArray): Promise<Float32Array> {
    const count = rows.dims[0]!;
    const { batch, scores } = this.#plan;
    if (batch === null) return this.#run(rows);
    const all = new Float32Array(count * scores.classes);
    for (let from = 0; from < count; from += batch) {
      const part = await this.#run(padded(rows, from, batch));
      const real = Math.min(batch, count - from);
      all.set(part.subarray(0, real * scores.classes), from * scores.classes);
    }
    return all;
  }

  async #run(rows: NDArray): Promise<Float32Array> {
    const { input, constants, scores } = this.#plan;
    const count = rows.dims[0]!;
    const feeds: Record<string, NDArray> = { [input.name]: convertArray(rows, input.dtype) };
    for (const constant of constants) feeds[constant.name] = filled(constant, count);
    const results = await this.#session.run(feeds, [scores.name]);
    const found = results[scores.name];
    invariant(found, `the session returned no "${scores.name}"`);
    const values = toFloat32(found, scores.name);
    if (values.length !== count * scores.classes) {
      throw new RetortError(
        'DATA_MISMATCH',
        `"${scores.name}" is [${found.dims.join(', ')}] for ${count} rows, not [${count}, ${scores.classes}]`,
      );
    }
    return scores.kind === 'probabilities' ? values.map((p) => Math.log(Math.max(p, TINY))) : values;
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

function filled({ dtype, dims, values }: ConstantInput, batch: number): NDArray {
  const shape = dims.map((dim) => (dim === -1 ? batch : dim));
  const size = sizeOf(shape);
  const data = Float32Array.from({ length: size }, (_, i) => values[i % values.length]!);
  return convertArray({ dtype: 'float32', dims: shape, data }, dtype);
}
