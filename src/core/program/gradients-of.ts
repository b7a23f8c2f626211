import type { NDArray } from '../ndarray.ts';
import { typedData } from '../onnx/tensor.ts';
import { cotangentOf, type GradientProgramRequest, gradientProgram } from './gradient-program.ts';
import type { TrainingKernel } from './kernel.ts';

export interface ModelGradients {
  /** Sum over outputs of <output, cotangent>. */
  readonly loss: number;
  /** Sum and L2 norm of each output as `sum:<output>`, `norm:<output>`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By initializer name. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** The same as a training step has them: a kernel may compute steps another way. */
  readonly stepped: ReadonlyMap<string, Float32Array>;
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
  const fed = [...Object.entries(inputs), ...seeds];
  const chunk = {
    steps: 1,
    feeds: Object.fromEntries(fed.map(([name, value]) => [name, { ...value, dims: [1, ...value.dims] }])),
    scalars: still(1),
  };
  // A step before it of the opposite gradients: one that was frozen there would show.
  const turned = new Map(
    seeds.map(([name, { dtype, dims, data }]) => [name, { dtype, dims, data: negated(data) }]),
  );
  const steps = {
    steps: 2,
    feeds: Object.fromEntries(fed.map(([name, value]) => [name, stacked(turned.get(name) ?? value, value)])),
    scalars: still(2),
  };
  const trainer = await kernel.open(program, { device: 'cpu', threads: 0, seed: 0 });
  try {
    const { loss, gradients } = await trainer.gradients(chunk);
    const { metrics } = await trainer.run(steps);
    // Without momentum the velocity is the last step's gradient.
    const { tensors } = await trainer.snapshot();
    return {
      loss,
      gradients,
      stepped: new Map(
        request.parameters.map((name) => [
          name,
          typedData(tensors.get(`slot:velocity:${name}`)!) as Float32Array,
        ]),
      ),
      metrics: Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, values[1]!])),
    };
  } finally {
    await trainer.close();
  }
}

/** Nothing moves, so that every step sees the same parameters. */
const still = (steps: number) => ({
  learning_rate: new Float32Array(steps),
  momentum: new Float32Array(steps),
});

const negated = (data: NDArray['data']): Float32Array =>
  Float32Array.from(data as Float32Array, (value) => -value);

/** Two values as the rows of one. */
function stacked(first: NDArray, second: NDArray): NDArray {
  const [a, b] = [first.data, second.data] as [Float32Array, Float32Array];
  const data = new (a.constructor as Float32ArrayConstructor)(a.length + b.length);
  data.set(a);
  data.set(b, a.length);
  return { dtype: first.dtype, dims: [2, ...first.dims], data };
}
