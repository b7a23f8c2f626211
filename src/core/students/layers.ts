import { RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Shape } from '../onnx/model.ts';
import { sizeOf, tensor } from '../onnx/tensor.ts';
import { Random } from '../random.ts';

/** Nobody distils into more, and what is larger would be drawn for minutes and fill the memory first. */
const MOST_PARAMETERS = 100_000_000;

interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/**
 * The layers students are made of. Every parameter draws its start from its own stream (seed, name), so that adding a
 * layer does not change the others.
 */
export class Layers {
  readonly #b: GraphBuilder;
  readonly #seed: number;
  #parameters = 0;

  constructor(b: GraphBuilder, seed: number) {
    this.#b = b;
    this.#seed = seed;
  }

  /** 2-D convolution, "same" padding kernel/2, He-normal weights: std = sqrt(2 / fan_in) (He et al. 2015, arXiv 1502.01852). */
  conv(
    name: string,
    x: string,
    channels: number,
    { kernel, stride = 1, groups = 1, bias = false }: ConvOptions,
  ): string {
    const inputs = this.channels(x) / groups;
    const weight = this.#normal(
      `${name}.weight`,
      [channels, inputs, kernel, kernel],
      Math.sqrt(2 / (inputs * kernel ** 2)),
    );
    const pad = Math.floor(kernel / 2);
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    };
    return this.#b.op(
      'Conv',
      [x, weight, ...(bias ? [this.#fill(`${name}.bias`, [channels], 0)] : [])],
      attributes,
      { name },
    );
  }

  /** Batch normalisation in training mode, epsilon 1e-5; running statistics keep 0.9 of the old value per step. */
  batchNorm(name: string, x: string): string {
    const shape = [this.channels(x)];
    const inputs = [
      x,
      this.#fill(`${name}.scale`, shape, 1),
      this.#fill(`${name}.bias`, shape, 0),
      this.#fill(`${name}.mean`, shape, 0),
      this.#fill(`${name}.var`, shape, 1),
    ];
    const attributes = {
      epsilon: { type: 'float', value: 1e-5 },
      momentum: { type: 'float', value: 0.9 },
      training_mode: 1,
    } as const;
    const outputs = [this.#b.fresh(name), `${name}.mean.next`, `${name}.var.next`];
    return this.#b.ops('BatchNormalization', inputs, attributes, { name, outputs })[0]!;
  }

  /** y = x W^T + b on [N, D]; normal weights with std = sqrt(gain / fan_in), zero bias. Gain 2 suits a ReLU after it. */
  linear(name: string, x: string, features: number, { gain = 2, output = this.#b.fresh(name) } = {}): string {
    const [, inputs] = this.shape(x) as [unknown, number];
    const weight = this.#normal(`${name}.weight`, [features, inputs], Math.sqrt(gain / inputs));
    const bias = this.#fill(`${name}.bias`, [features], 0);
    return this.#b.op('Gemm', [x, weight, bias], { transB: 1 }, { name, outputs: [output] });
  }

  /** The last layer, [N, D] to class scores under the fixed output name; gain 1, since no ReLU follows. */
  classifier(x: string, classes: number, output: string): string {
    return this.linear('classifier', x, classes, { gain: 1, output });
  }

  /** The names of these outputs are what a spec calls the layers of a student by. */
  relu(x: string, name = 'relu'): string {
    return this.#b.op('Relu', [x], {}, { name });
  }

  relu6(x: string, name = 'relu6'): string {
    return this.#b.op('Clip', [x, this.#b.constant(0), this.#b.constant(6)], {}, { name });
  }

  maxPool(x: string): string {
    return this.#b.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }

  /** [N, C, H, W] to [N, C]. */
  globalAverage(x: string): string {
    return this.flatten(this.#b.op('GlobalAveragePool', [x]));
  }

  /** [N, ...] to [N, D]. */
  flatten(x: string): string {
    return this.shape(x).length === 2 ? x : this.#b.op('Flatten', [x], { axis: 1 });
  }

  /** Inverted dropout with a fixed ratio; the Program turns it into declared noise, export drops it. */
  dropout(name: string, x: string, ratio: number): string {
    if (ratio === 0) return x;
    return this.#b.op(
      'Dropout',
      [x, this.#b.constant(ratio), this.#b.constant([1], 'bool', [])],
      {},
      { name },
    );
  }

  add(x: string, y: string, name = 'add'): string {
    return this.#b.op('Add', [x, y], {}, { name });
  }

  shape(x: string): Shape {
    return this.#b.type(x).shape ?? [];
  }

  channels(x: string): number {
    return this.shape(x)[1] as number;
  }

  #normal(name: string, dims: readonly number[], deviation: number): string {
    const random = new Random(this.#seed, name);
    const size = this.#room(name, dims);
    return this.#b.initializer(
      name,
      tensor(
        'float32',
        dims,
        Float64Array.from({ length: size }, () => random.normal() * deviation),
      ),
    );
  }

  #fill(name: string, dims: readonly number[], value: number): string {
    return this.#b.initializer(
      name,
      tensor('float32', dims, new Float32Array(this.#room(name, dims)).fill(value)),
    );
  }

  /** Elements of a parameter; STUDENT_UNFIT before they are allocated where the student gets too large. */
  #room(name: string, dims: readonly number[]): number {
    const size = sizeOf(dims);
    this.#parameters += size;
    if (this.#parameters <= MOST_PARAMETERS) return size;
    throw new RetortError(
      'STUDENT_UNFIT',
      `the student has more than ${MOST_PARAMETERS} parameters: "${name}" alone is [${dims.join(', ')}]`,
      {
        hint: 'A student is smaller than its teacher: choose fewer or narrower layers, or `auto` with a limit.',
      },
    );
  }
}
