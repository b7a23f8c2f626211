import { type Tensor, tensor, typedData } from '../../src/core/onnx/tensor.ts';
import { OBJECTIVE_INPUTS } from '../../src/core/program/build-program.ts';
import type { Program, ProgramInput } from '../../src/core/program/program.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/core/program/safetensors.ts';
import { Random } from '../../src/core/random.ts';
import type { StartedProgram } from './feed-steps.ts';
import { CLASSES, type Workload } from './workloads.ts';

/** Names of the data in the file that both sides read. */
const dataName = (input: string): string => `data:${input}`;

/** What all sides start from, as a safetensors file: initial parameters and one batch, which every step sees again. */
export function encodeStart({ graph, parameters, batch }: Program, workload: Workload): Uint8Array {
  const tensors = new Map<string, Tensor>();
  for (const { name } of parameters) tensors.set(name, graph.initializers.get(name)!);
  for (const input of batch) tensors.set(dataName(input.name), drawn(input, workload));
  return encodeSnapshot({ step: 0, tensors });
}

/** The Program with its initial parameters as the file has them, and the batch. */
export function decodeStart(file: Uint8Array, program: Program): StartedProgram {
  const { tensors } = decodeSnapshot(file);
  const initializers = new Map(program.graph.initializers);
  for (const { name } of program.parameters) initializers.set(name, tensors.get(name)!);
  const batch = program.batch.map(({ name, dtype, dims }) => {
    const value = tensors.get(dataName(name))!;
    return [name, { dtype, dims, data: typedData(value) }] as const;
  });
  return {
    program: { ...program, graph: { ...program.graph, initializers } },
    batch: Object.fromEntries(batch),
  };
}

/** Random but always the same: normal rows or uniform ids, one-hot labels, teacher logits of deviation 3. */
function drawn({ name, dtype, dims }: ProgramInput, { vocabulary }: Workload): Tensor {
  const random = new Random(0, dataName(name));
  const count = dims.reduce((product, dim) => product * dim, 1);
  const numbers = (value: () => number) => Float64Array.from({ length: count }, value);
  switch (name) {
    case OBJECTIVE_INPUTS.labels: {
      const rows = new Float32Array(count);
      for (let at = 0; at < count; at += CLASSES) rows[at + random.int(CLASSES)] = 1;
      return tensor(dtype, dims, rows);
    }
    case OBJECTIVE_INPUTS['teacher-logits']:
      return tensor(
        dtype,
        dims,
        numbers(() => 3 * random.normal()),
      );
    default:
      return tensor(
        dtype,
        dims,
        numbers(() => (vocabulary ? random.int(vocabulary) : random.normal())),
      );
  }
}
