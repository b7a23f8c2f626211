import { invariant } from '../../errors.ts';
import type { TypedArray } from '../onnx/dtype.ts';
import type { Chunk } from './kernel.ts';
import { noiseFor } from './noise.ts';
import type { Program, ProgramInput } from './program.ts';

/**
 * All data of a chunk's steps, K rows each: batch inputs as the chunk brings them, noise inputs as the hash gives them.
 * `first` is the number of steps done before the chunk.
 */
export function* chunkData(
  program: Program,
  chunk: Chunk,
  seed: number,
  first: number,
): Iterable<readonly [ProgramInput, TypedArray]> {
  for (const input of program.batch) {
    const value = chunk.feeds[input.name];
    const wanted = [chunk.steps, ...input.dims].join();
    const fits = value?.dims.join() === wanted && value.dtype === input.dtype;
    invariant(fits, `the chunk's "${input.name}" must be ${input.dtype} [${wanted}]`);
    yield [input, value.data as TypedArray];
  }
  for (const input of program.noise) yield [input, noiseFor(input, seed, first, chunk.steps)];
}
