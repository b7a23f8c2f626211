import type { NDArray } from '../../src/core/ndarray.ts';
import type { TypedArray } from '../../src/core/onnx/dtype.ts';
import type { Chunk } from '../../src/core/program/kernel.ts';
import type { Program } from '../../src/core/program/program.ts';
import { optimizerScalars } from '../../src/core/schedules/optimizer-scalars.ts';

export interface StartedProgram {
  readonly program: Program;
  /** The one batch that every step sees. */
  readonly batch: Readonly<Record<string, NDArray>>;
}

/** A chunk of K steps on the same batch, at the base learning rate. */
export function feedSteps({ program, batch }: StartedProgram, steps: number): Chunk {
  const feeds = Object.entries(batch).map(([input, { dtype, dims, data }]) => {
    const row = data as TypedArray;
    const rows = new (row.constructor as new (length: number) => TypedArray)(row.length * steps);
    for (let k = 0; k < steps; k++) rows.set(row as never, k * row.length);
    return [input, { dtype, dims: [steps, ...dims], data: rows }] as const;
  });
  const schedule = { name: 'constant', options: {} };
  const context = { totalSteps: steps, stepsPerEpoch: steps };
  const scalars = optimizerScalars(program.optimizer, schedule, context, 0, steps);
  return { steps, feeds: Object.fromEntries(feeds), scalars };
}
