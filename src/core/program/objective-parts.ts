import type { ObjectiveParts } from '../losses/features.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { sizeOf, type Tensor, tensor } from '../onnx/tensor.ts';
import { Random } from '../random.ts';
import type { NoiseInput, Parameter, StatePair } from './program.ts';

/** Begins every name of an objective's own tensors, so that no student's can be meant. */
const PREFIX = 'objective/';

/** Collects what the terms of an objective hold themselves while they add their nodes. */
export class CollectedParts {
  readonly parameters: Parameter[] = [];
  readonly noise: NoiseInput[] = [];
  readonly state: StatePair[] = [];
  readonly #b: GraphBuilder;
  readonly #seed: number;

  constructor(b: GraphBuilder, seed: number) {
    this.#b = b;
    this.#seed = seed;
  }

  /** The parts of one term; `scope` keeps its names apart from those of the others. */
  of(scope: string): ObjectiveParts {
    const b = this.#b;
    const own = (name: string): string => `${PREFIX}${scope}/${name}`;
    return {
      parameter: (name, initial, rates) => {
        this.parameters.push({ name: own(name), owner: 'objective', ...rates });
        return b.initializer(own(name), initial);
      },
      normal: (name, dims, std) => this.#normal(own(name), dims, std),
      noise: (name, dims, distribution) => {
        const stream = own(name);
        this.noise.push({ name: stream, dtype: 'float32', dims, distribution, stream });
        return b.input(stream, 'float32', dims);
      },
      state: (name, initial, next) => {
        const current = b.initializer(own(name), initial);
        // Identity, because the value may be an output already.
        const after = b.op('Identity', [next(current)], {}, { outputs: [`${own(name)}.next`] });
        this.state.push({ initial: current, next: after });
        return current;
      },
    };
  }

  #normal(name: string, dims: readonly number[], std: number): Tensor {
    const random = new Random(this.#seed, name);
    return tensor(
      'float32',
      dims,
      Float64Array.from({ length: sizeOf(dims) }, () => std * random.normal()),
    );
  }
}
