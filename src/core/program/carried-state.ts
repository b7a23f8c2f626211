import { RetortError } from '../../errors.ts';
import { dtypes, type TypedArray } from '../onnx/dtype.ts';
import { sizeOf, type Tensor, tensorOf, typedData } from '../onnx/tensor.ts';
import type { Snapshot } from './kernel.ts';
import type { Carried } from './lower.ts';
import type { Program } from './program.ts';

/** Data of every carried tensor, by input name. Never written to: a step replaces them. */
export type CarriedState = ReadonlyMap<string, TypedArray>;

/** The state before the first step: of a snapshot, or initializers, zero slots, and averages that start at the value. */
export function initialState(
  program: Program,
  carried: readonly Carried[],
  snapshot: Snapshot | undefined,
): CarriedState {
  const startOf = (name: string): Tensor | undefined => {
    if (snapshot) {
      const value = snapshot.tensors.get(name);
      if (value) return value;
      throw new RetortError('TRAIN_UNSUPPORTED', `the snapshot of step ${snapshot.step} lacks "${name}"`, {
        hint: 'It was made by another program (other student, optimizer or averages).',
      });
    }
    return program.graph.initializers.get(name.startsWith('ema:') ? name.slice('ema:'.length) : name);
  };
  return new Map(
    carried.map((entry) => {
      const Data = dtypes[entry.dtype].array!;
      const size = sizeOf(entry.dims);
      const data = new Data(new ArrayBuffer((size * dtypes[entry.dtype].bits) / 8), 0, size);
      for (const { name, dims, offset } of entry.members) {
        const value = startOf(name);
        if (!value) continue;
        if (value.dims.join() !== dims.join() || value.dtype !== entry.dtype) {
          throw new RetortError(
            'TRAIN_UNSUPPORTED',
            `"${name}" is ${value.dtype} [${value.dims}] in the snapshot, ${entry.dtype} [${dims}] in the program`,
          );
        }
        // Element types are equal, so both sides are of one array class.
        (data as Float32Array).set(typedData(value) as Float32Array, offset);
      }
      return [entry.name, data];
    }),
  );
}

/** The named tensors of a state, as views. */
export function namedTensors(carried: readonly Carried[], state: CarriedState): Map<string, Tensor> {
  return new Map(
    carried.flatMap((entry) =>
      entry.members.map(({ name, dims, offset, size }) => {
        const data = state.get(entry.name)!.subarray(offset, offset + size);
        return [name, tensorOf(entry.dtype, dims, data)] as const;
      }),
    ),
  );
}
