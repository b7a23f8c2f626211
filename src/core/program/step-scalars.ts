import { invariant } from '../../errors.ts';
import { optimizerOf, scalarNames } from './append-update.ts';
import type { Chunk } from './kernel.ts';
import type { Program } from './program.ts';

/**
 * All scalars of a chunk's steps by name, K values each: what the chunk brings and what the optimizer derives of it
 * (bias corrections), in double precision. `first` is the number of steps done before the chunk.
 */
export function stepScalars(program: Program, chunk: Chunk, first: number): Record<string, Float32Array> {
  const { optimizer, options } = optimizerOf(program);
  const { given, derived } = scalarNames(program);
  const result: Record<string, Float32Array> = {};
  for (const name of given) {
    const values = chunk.scalars[name];
    invariant(
      values?.length === chunk.steps,
      `the chunk needs ${chunk.steps} values of the scalar "${name}"`,
    );
    result[name] = values;
  }
  for (const name of derived) result[name] = new Float32Array(chunk.steps);
  if (derived.length === 0) return result;
  for (let k = 0; k < chunk.steps; k++) {
    const now = Object.fromEntries(given.map((name) => [name, result[name]![k]!]));
    const values = optimizer.derive!(first + k + 1, now, options);
    for (const name of derived) result[name]![k] = values[name]!;
  }
  return result;
}
