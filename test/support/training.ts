import type { NDArray } from '../../src/core/ndarray.ts';
import type { Chunk, KernelOptions, Snapshot, TrainingKernel } from '../../src/core/program/kernel.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { optimizerScalars } from '../../src/core/schedules/optimizer-scalars.ts';
import type { ScheduleSpec } from '../../src/core/schedules/schedule.ts';

/** Fills the batch of one step; called with the step's number, so that any chunking sees the same data. */
export type BatchMaker = (step: number) => Readonly<Record<string, ArrayLike<number>>>;

/** Learnable data: each class has a prototype, rows are the prototype plus noise; labels are one-hot. */
export function classBatches(program: Program, classes: number, noise = 0.5): BatchMaker {
  const [input, labels] = ['x', 'labels'].map((name) => program.batch.find((each) => each.name === name)!);
  const [rows, ...dims] = input!.dims as [number, ...number[]];
  const size = dims.reduce((product, dim) => product * dim, 1);
  const prototypes = Array.from({ length: classes }, (_, c) => {
    const random = new Random(7, 'prototype', c);
    return Float32Array.from({ length: size }, () => random.normal());
  });
  return (step) => {
    const random = new Random(7, 'rows', step);
    const x = new Float32Array(rows * size);
    const y = new Float32Array(rows * classes);
    for (let row = 0; row < rows; row++) {
      const label = random.int(classes);
      y[row * classes + label] = 1;
      for (let i = 0; i < size; i++) x[row * size + i] = prototypes[label]![i]! + noise * random.normal();
    }
    return { [input!.name]: x, [labels!.name]: y };
  };
}

/** Steps [first, first + steps) as a chunk. */
export function chunkOf(
  program: Program,
  batch: BatchMaker,
  first: number,
  steps: number,
  schedule: ScheduleSpec = { name: 'constant', options: {} },
  totalSteps = 50,
): Chunk {
  const made = Array.from({ length: steps }, (_, i) => batch(first + i));
  const feeds = program.batch.map(({ name, dtype, dims }): [string, NDArray] => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const data = dtype === 'int64' ? new BigInt64Array(steps * size) : new Float32Array(steps * size);
    made.forEach((rows, k) => {
      for (let i = 0; i < size; i++) {
        const value = rows[name]![i]!;
        data[k * size + i] = dtype === 'int64' ? BigInt(value) : value;
      }
    });
    return [name, { dtype, dims: [steps, ...dims], data }];
  });
  const scalars = optimizerScalars(
    program.optimizer,
    schedule,
    { totalSteps, stepsPerEpoch: totalSteps },
    first,
    steps,
  );
  return { steps, feeds: Object.fromEntries(feeds), scalars };
}

export interface Training {
  readonly loss: readonly number[];
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  readonly snapshot: Snapshot;
}

/** Trains through the given chunk lengths and closes the trainer. */
export async function train(
  kernel: TrainingKernel,
  program: Program,
  batch: BatchMaker,
  chunks: readonly number[],
  options: Partial<KernelOptions> & { readonly schedule?: ScheduleSpec; readonly totalSteps?: number } = {},
): Promise<Training> {
  const { schedule, totalSteps, ...given } = options;
  const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 3, ...given });
  const loss: number[] = [];
  const metrics: Record<string, number[]> = Object.fromEntries(program.metrics.map((name) => [name, []]));
  let done = given.snapshot?.step ?? 0;
  try {
    for (const steps of chunks) {
      const result = await trainer.run(chunkOf(program, batch, done, steps, schedule, totalSteps));
      loss.push(...result.loss);
      for (const name of program.metrics) metrics[name]!.push(...result.metrics[name]!);
      done += steps;
    }
    return { loss, metrics, snapshot: await trainer.snapshot() };
  } finally {
    await trainer.close();
  }
}

/** Largest difference between two vectors relative to the larger norm. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, normA, normB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    normA += a[i]! ** 2;
    normB += b[i]! ** 2;
  }
  const scale = Math.sqrt(Math.max(normA, normB));
  return scale === 0 ? 0 : Math.sqrt(difference) / scale;
}
