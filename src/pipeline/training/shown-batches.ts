import { INVERSION_INPUTS } from '../../core/inversion/build-inversion.ts';
import type { ProgramInput } from '../../core/program/program.ts';
import { Random } from '../../core/random.ts';
import type { BatchSource } from './training-run.ts';

export interface ShownRequest {
  /** Number of the first picture; picture n is to be of class n modulo classes. */
  readonly first: number;
  readonly sides: readonly [height: number, width: number];
  readonly shift: number;
  readonly flip: boolean;
  readonly seed: number;
  /** Of the batch of pictures. */
  readonly index: number;
}

/** What recovering is fed: the classes, the same at every step, and how the pictures are moved at each. */
export function shownBatches({ dims }: ProgramInput, request: ShownRequest): BatchSource {
  const { first, sides, shift, flip, seed, index } = request;
  const [batch, classes] = dims as [number, number];
  const labels = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) labels[i * classes + ((first + i) % classes)] = 1;
  const [height, width] = sides;
  return {
    stepsPerEpoch: 1,
    async chunk(from, steps) {
      const all = new Float32Array(steps * labels.length);
      const rows = new Float32Array(steps * height * height);
      const columns = new Float32Array(steps * width * width);
      for (let k = 0; k < steps; k++) {
        all.set(labels, k * labels.length);
        const random = new Random(seed, 'recover:move', index, from + k);
        const down = random.int(2 * shift + 1) - shift;
        const right = random.int(2 * shift + 1) - shift;
        const isMirrored = flip && random.uniform() < 0.5;
        for (let y = 0; y < height; y++) rows[(k * height + y) * height + modulo(y - down, height)] = 1;
        for (let x = 0; x < width; x++) {
          const source = modulo((isMirrored ? width - 1 - x : x) - right, width);
          columns[(k * width + source) * width + x] = 1;
        }
      }
      return {
        [INVERSION_INPUTS.labels]: { dtype: 'float32', dims: [steps, batch, classes], data: all },
        [INVERSION_INPUTS.rows]: { dtype: 'float32', dims: [steps, height, height], data: rows },
        [INVERSION_INPUTS.columns]: { dtype: 'float32', dims: [steps, width, width], data: columns },
      };
    },
  };
}

const modulo = (n: number, by: number): number => ((n % by) + by) % by;
