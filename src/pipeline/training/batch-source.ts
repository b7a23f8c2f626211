import type { NDArray } from '../../core/ndarray.ts';
import type { TypedArray } from '../../core/onnx/dtype.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import { OBJECTIVE_INPUTS } from '../../core/program/build-program.ts';
import { type TeacherTap, tapInputs } from '../../core/program/feature-inputs.ts';
import type { Batch } from '../../data/batch.ts';
import { stepsPerEpoch, trainingOrder } from '../../data/order.ts';
import { invariant } from '../../errors.ts';
import { toFloat32 } from '../convert-array.ts';
import type { FeatureSource } from '../layers/feature-teacher.ts';
import { STUDENT_INPUT } from '../student/student-names.ts';
import type { BesideAssembler } from './batches-beside.ts';
import type { BatchSource } from './training-run.ts';

export interface BatchSourceRequest {
  /** Name of the teacher's input in the maker's plan. */
  readonly input: string;
  readonly maker: BesideAssembler;
  /** Training rows. */
  readonly rows: Uint32Array;
  readonly batchSize: number;
  readonly classes: number;
  readonly seed: number;
  /** Whether the objective reads labels. */
  readonly labels: boolean;
  /** Teacher logits of an epoch by position in `rows`; undefined where the objective reads none. */
  readonly teacher?: (epoch: number) => Promise<Float32Array>;
  /** The teacher's tensors for the pixels of a step; undefined where the objective reads none. */
  readonly features?: FeatureSource & { readonly taps: readonly TeacherTap[] };
}

/** Steps of one epoch. */
interface Part {
  readonly epoch: number;
  readonly steps: number;
  /** Of all its steps, one after another. */
  readonly rows: Uint32Array;
}

/** The batches of a run: the same seed gives the same rows, pixels and targets at every step, from any step on. */
export class ShuffledBatches implements BatchSource {
  readonly stepsPerEpoch: number;
  readonly #request: BatchSourceRequest;
  readonly #position = new Map<number, number>();
  #order: { readonly epoch: number; readonly batches: readonly Uint32Array[] } | undefined;

  /** What is being made for the chunk to come. */
  #ahead:
    | { readonly first: number; readonly steps: number; readonly made: readonly Promise<Batch>[] }
    | undefined;

  constructor(request: BatchSourceRequest) {
    this.#request = request;
    this.stepsPerEpoch = stepsPerEpoch(request.rows.length, request.batchSize);
    if (request.teacher) request.rows.forEach((row, i) => void this.#position.set(row, i));
  }

  async chunk(first: number, steps: number): Promise<Record<string, NDArray>> {
    const ahead = this.#ahead?.first === first && this.#ahead.steps === steps ? this.#ahead.made : undefined;
    this.#ahead = undefined;
    const feeds: Record<string, NDArray>[] = [];
    for (const [i, part] of this.#parts(first, steps).entries()) {
      feeds.push(await this.#feeds(part, await (ahead?.[i] ?? this.#assemble(part))));
    }
    return feeds.length === 1 ? feeds[0]! : joined(feeds, steps);
  }

  ahead(first: number, steps: number): boolean {
    if (!this.#request.maker.isBeside) return false;
    const made = this.#parts(first, steps).map((part) => this.#assemble(part));
    // Whoever takes the chunk meets the error; nobody may.
    for (const each of made) each.catch(() => {});
    this.#ahead = { first, steps, made };
    return true;
  }

  close(): Promise<void> {
    return this.#request.maker.close();
  }

  #assemble({ rows, epoch }: Part): Promise<Batch> {
    return this.#request.maker.assemble(rows, epoch);
  }

  /** The steps by epoch. */
  #parts(first: number, steps: number): readonly Part[] {
    const { batchSize } = this.#request;
    const parts: Part[] = [];
    for (let step = first; step < first + steps; ) {
      const within = step % this.stepsPerEpoch;
      const count = Math.min(this.stepsPerEpoch - within, first + steps - step);
      const epoch = (step - within) / this.stepsPerEpoch;
      const rows = new Uint32Array(count * batchSize);
      const batches = this.#batches(epoch).slice(within, within + count);
      batches.forEach((batch, i) => void rows.set(batch, i * batchSize));
      parts.push({ epoch, steps: count, rows });
      step += count;
    }
    return parts;
  }

  async #feeds({ epoch, steps: count, rows }: Part, batch: Batch): Promise<Record<string, NDArray>> {
    const { input, batchSize, classes, labels, teacher, features } = this.#request;
    const pixels = batch.inputs[input]!;
    const feeds: Record<string, NDArray> = {
      [STUDENT_INPUT]: {
        dtype: 'float32',
        dims: [count, batchSize, ...pixels.dims.slice(1)],
        data: toFloat32(pixels, input),
      },
    };
    const dims = [count, batchSize, classes];
    if (labels) feeds[OBJECTIVE_INPUTS.labels] = { dtype: 'float32', dims, data: batch.labels };
    if (teacher) {
      const data = this.#teacherRows(rows, await teacher(epoch), classes);
      feeds[OBJECTIVE_INPUTS['teacher-logits']] = { dtype: 'float32', dims, data };
    }
    return features ? { ...feeds, ...(await featureFeeds(features, pixels, count, batchSize)) } : feeds;
  }

  #batches(epoch: number): readonly Uint32Array[] {
    const { rows, batchSize, seed } = this.#request;
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, batches: trainingOrder(rows, batchSize, seed, epoch) };
    }
    return this.#order.batches;
  }

  #teacherRows(rows: Uint32Array, all: Float32Array, classes: number): Float32Array {
    const found = new Float32Array(rows.length * classes);
    rows.forEach((row, i) => {
      const at = this.#position.get(row)! * classes;
      found.set(all.subarray(at, at + classes), i * classes);
    });
    return found;
  }
}

/** What the teacher makes of each step's rows. It runs step by step: chunks of any length then give the same bits. */
async function featureFeeds(
  source: NonNullable<BatchSourceRequest['features']>,
  pixels: NDArray,
  steps: number,
  batchSize: number,
): Promise<Record<string, NDArray>> {
  const inputs = tapInputs(source.taps);
  const whole = inputs.map(({ dims }) => new Float32Array(steps * batchSize * sizeOf(dims)));
  const dims = [batchSize, ...pixels.dims.slice(1)];
  const size = sizeOf(dims);
  for (let step = 0; step < steps; step++) {
    const data = (pixels.data as TypedArray).subarray(step * size, (step + 1) * size) as TypedArray;
    const parts = await source.features({ dtype: pixels.dtype, dims, data });
    parts.forEach((part, i) => void whole[i]!.set(part, step * part.length));
  }
  return Object.fromEntries(
    inputs.map(({ name, dims: own }, i) => [
      name,
      { dtype: 'float32', dims: [steps, batchSize, ...own], data: whole[i]! } as const,
    ]),
  );
}

/** Parts of several epochs one after another along the step axis. */
function joined(parts: readonly Record<string, NDArray>[], steps: number): Record<string, NDArray> {
  const names = Object.keys(parts[0]!);
  return Object.fromEntries(
    names.map((name) => {
      const arrays = parts.map((part) => part[name]!);
      const lists = arrays.map((array) => array.data as Float32Array);
      const whole = new Float32Array(lists.reduce((sum, list) => sum + list.length, 0));
      let at = 0;
      for (const list of lists) {
        whole.set(list, at);
        at += list.length;
      }
      invariant(arrays[0]!.dtype === 'float32', `${name} is fed as float32`);
      return [name, { dtype: 'float32', dims: [steps, ...arrays[0]!.dims.slice(1)], data: whole } as const];
    }),
  );
}
