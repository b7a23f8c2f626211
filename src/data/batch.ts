import type { NDArray } from '../core/ndarray.ts';
import { dtypes, type TypedArray } from '../core/onnx/dtype.ts';
import { sizeOf } from '../core/onnx/tensor.ts';
import { RetortError } from '../errors.ts';
import { type Affine, identity } from './affine.ts';
import { type AugmentPlan, mixWeight, noAugment, partnersOf, transformOf } from './augment/pipeline.ts';
import { type BatchRecipe, recipeOf } from './batch-recipe.ts';
import type { Dataset } from './dataset.ts';
import { inFrame } from './in-frame.ts';
import type { InputPlan } from './preprocess.ts';
import { PictureWriter } from './sample-picture.ts';
import { writeArrays } from './write-arrays.ts';
import { writeLabels } from './write-labels.ts';

export interface BatchPlan {
  /** By teacher input. */
  readonly inputs: Readonly<Record<string, InputPlan>>;
  /** Default: none (evaluation). */
  readonly augment?: AugmentPlan;
  readonly seed: number;
  /** Height and width of the pictures the augmentation is drawn for, where these are as many at another size. */
  readonly frame?: readonly [number, number];
  /** Label smoothing s: (1 - s) one-hot + s / C. */
  readonly smoothing?: number;
  /** Per row: 1 where the label may be used. Default: every label there is. */
  readonly labelled?: Uint8Array;
  /** Classes of the labels, when the teacher has more than the dataset. */
  readonly classes?: number;
}

export interface Batch {
  /** [B, ...] by teacher input, in the plan's type. */
  readonly inputs: Readonly<Record<string, NDArray>>;
  /** [B, C] distributions, all zero in rows without a label. */
  readonly labels: Float32Array;
}

/** What makes batches, in this thread or another. */
export interface Assembler {
  assemble(rows: Uint32Array, epoch: number): Promise<Batch>;
}

/** Makes batches of one plan. The same row of the same epoch gives the same pixels, wherever it stands in a batch. */
export class BatchMaker implements Assembler {
  readonly #dataset: Dataset;
  readonly #plan: BatchPlan;
  readonly #augment: AugmentPlan;
  readonly #writers = new Map<string, PictureWriter>();
  readonly #classes: number;
  #partners: { readonly epoch: number; readonly of: Uint32Array } | undefined;

  constructor(dataset: Dataset, plan: BatchPlan) {
    this.#dataset = dataset;
    this.#plan = plan;
    this.#augment = plan.augment ?? noAugment;
    this.#classes = plan.classes ?? dataset.classes.length;
    if (this.#classes < dataset.classes.length) {
      throw new RetortError(
        'DATA_MISMATCH',
        `the dataset has ${dataset.classes.length} classes, the teacher ${this.#classes}`,
        { hint: 'Map class names to teacher outputs in labels.classes.' },
      );
    }
    for (const [name, input] of Object.entries(plan.inputs)) {
      if (input.picture) this.#writers.set(name, new PictureWriter(input));
      else refuseAugment(this.#augment, name, input);
    }
  }

  /** All that decides its batches, but for the records themselves. */
  get recipe(): BatchRecipe {
    return recipeOf(this.#dataset, this.#plan);
  }

  /** Assembles these rows of this epoch, into the buffers of `into` where it is given. */
  async assemble(rows: ArrayLike<number>, epoch: number, into?: Batch): Promise<Batch> {
    const count = rows.length;
    const batch = into ?? this.buffers(count);
    const partners = this.#augment.mixing
      ? Uint32Array.from(rows, (row) => this.#partner(row, epoch))
      : undefined;
    const weights =
      partners && Float64Array.from(rows, (row) => mixWeight(this.#augment, this.#plan.seed, epoch, row));
    const wanted = partners ? [...Array.from(rows), ...partners] : rows;
    const read = new Map<string, NDArray>();
    for (const { column } of Object.values(this.#plan.inputs)) {
      if (!read.has(column)) read.set(column, await this.#dataset.read(column, wanted));
    }
    for (const [name, input] of Object.entries(this.#plan.inputs)) {
      const raw = read.get(input.column)!;
      const out = batch.inputs[name]!;
      if (input.picture) this.#writePictures(name, raw, wanted, epoch, out, weights);
      else writeArrays({ name, input, rows, weights }, raw, out);
    }
    const { smoothing = 0, labelled } = this.#plan;
    writeLabels(batch.labels, this.#classes, this.#dataset.labels, rows, {
      smoothing,
      labelled,
      partners,
      weights,
    });
    return batch;
  }

  /** Fresh buffers for a batch of `count` rows. */
  buffers(count: number): Batch {
    const inputs = Object.entries(this.#plan.inputs).map(([name, { dtype, dims }]): [string, NDArray] => {
      const size = count * sizeOf(dims);
      const data = new dtypes[dtype].array(new ArrayBuffer((size * dtypes[dtype].bits) / 8), 0, size);
      return [name, { dtype, dims: [count, ...dims], data }];
    });
    return { inputs: Object.fromEntries(inputs), labels: new Float32Array(count * this.#classes) };
  }

  #partner(row: number, epoch: number): number {
    if (this.#partners?.epoch !== epoch) {
      this.#partners = { epoch, of: partnersOf(this.#dataset.splits.train, this.#plan.seed, epoch) };
    }
    return this.#partners.of[row] ?? row;
  }

  #writePictures(
    name: string,
    raw: NDArray,
    rows: ArrayLike<number>,
    epoch: number,
    out: NDArray,
    weights: Float64Array | undefined,
  ): void {
    const writer = this.#writers.get(name)!;
    const [height, width, channels] = this.#plan.inputs[name]!.picture!;
    const size = height * width * channels;
    const bytes = raw.data as Uint8Array;
    const target = writable(out.data as TypedArray);
    const augment = this.#augment.geometric.length > 0 ? this.#augment : undefined;
    const frame = this.#plan.frame ?? [height, width];
    const map = (i: number): Affine => {
      if (!augment) return identity;
      const drawn = transformOf(augment, this.#plan.seed, epoch, rows[i]!, frame[0], frame[1]);
      return inFrame(drawn, frame, [height, width]);
    };
    const count = out.dims[0]!;
    for (let i = 0; i < count; i++) writer.write(bytes, i * size, map(i), target, i * size);
    if (!weights) return;
    const other = new Float32Array(size);
    for (let i = 0; i < count; i++) {
      writer.write(bytes, (count + i) * size, map(count + i), other, 0);
      mix(target, i * size, other, 0, size, weights[i]!);
    }
  }
}

/** Bytes are rounded and held within 0..255. */
function writable(data: TypedArray): Float32Array | Uint8ClampedArray {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint8Array) return new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
  throw new RetortError('DATA_MISMATCH', 'pictures can be fed as float32 or uint8 only');
}

function mix(
  out: Float32Array | Uint8ClampedArray | Int32Array,
  at: number,
  other: ArrayLike<number>,
  from: number,
  size: number,
  weight: number,
): void {
  for (let i = 0; i < size; i++) out[at + i] = weight * out[at + i]! + (1 - weight) * other[from + i]!;
}

/** SPEC_INVALID for what makes no sense of arrays: to move their pixels, to mix numbers that are ids or counts. */
function refuseAugment({ geometric, mixing }: AugmentPlan, name: string, { dtype }: InputPlan): void {
  const isMixable = dtype === 'float32';
  const refuse = (why: string, entries: readonly { readonly name: string }[]): never => {
    // All of it, for a strategy may have added what the spec has not named.
    const left =
      mixing && isMixable && !entries.includes(mixing.entry)
        ? [{ name: mixing.entry.name, ...mixing.options }]
        : [];
    throw new RetortError('SPEC_INVALID', `input ${name} ${why}`, {
      hint: `Leave out ${entries.map((entry) => entry.name).join(', ')}: "augment": ${JSON.stringify(left)} in train.`,
    });
  };
  if (geometric.length > 0) {
    refuse(
      'holds no pictures, so they cannot be augmented',
      geometric.map(({ entry }) => entry),
    );
  }
  if (mixing && !isMixable) {
    refuse(`takes whole numbers (${dtype}), so its rows cannot be mixed`, [mixing.entry]);
  }
}
