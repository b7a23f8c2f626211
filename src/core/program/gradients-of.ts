import type { NDArray } from '../ndarray.ts';
import { cotangentOf, type GradientProgramRequest, gradientProgram } from './gradient-program.ts';
import type { TrainingKernel } from './kernel.ts';

export interface ModelGradients {
  /** Sum over outputs of <output, cotangent>. */
  readonly loss: number;
  /** Sum and L2 norm of each output as `sum:<output>`, `norm:<output>`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By initializer name. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

type Arrays = Readonly<Record<string, NDArray>>;

/** Gradients of sum <output, cotangent> by a model's initializers, computed by a training kernel on the CPU. */
export async function gradientsOf(
  request: Omit<GradientProgramRequest, 'shapes'>,
  inputs: Arrays,
  cotangents: Arrays,
  kernel: TrainingKernel,
): Promise<ModelGradients> {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { dims }]) => [name, dims]));
  const program = gradientProgram({ ...request, shapes });
  const seeds = Object.entries(cotangents).map(([output, value]) => [cotangentOf(output), value] as const);
  const feeds = Object.fromEntries(
    [...Object.entries(inputs), ...seeds].map(([name, value]) => [
      name,
      { ...value, dims: [1, ...value.dims] },
    ]),
  );
  const trainer = await kernel.open(program, { device: 'cpu', threads: 0, seed: 0 });
  try {
    const still = { learning_rate: Float32Array.of(0), momentum: Float32Array.of(0) };
    const chunk = { steps: 1, feeds, scalars: still };
    const { loss, gradients } = await trainer.gradients(chunk);
    const { metrics } = await trainer.run(chunk);
    return {
      loss,
      gradients,
      metrics: Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, values[0]!])),
    };
  } finally {
    await trainer.close();
  }
}
