import { sizeOf } from '../onnx/tensor.ts';
import { Random } from '../random.ts';
import type { NoiseInput } from './program.ts';

/**
 * The noise of one input at steps [first, first + steps), dims [steps, ...dims]: a function of (seed, stream, step)
 * alone, so that every kernel, chunking and resumption sees the same numbers. Uniform on [0, 1) or standard normal.
 */
export function noiseFor(input: NoiseInput, seed: number, first: number, steps: number): Float32Array {
  const size = sizeOf(input.dims);
  const data = new Float32Array(steps * size);
  for (let k = 0; k < steps; k++) {
    const random = new Random(seed, `noise:${input.stream}`, first + k);
    const row = data.subarray(k * size, (k + 1) * size);
    if (input.distribution === 'uniform') {
      // 24 bits, so that rounding to float32 never gives 1.
      for (let i = 0; i < size; i++) row[i] = Math.floor(random.uniform() * 2 ** 24) / 2 ** 24;
    } else {
      for (let i = 0; i < size; i++) row[i] = random.normal();
    }
  }
  return data;
}
