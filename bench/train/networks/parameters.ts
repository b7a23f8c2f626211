import type { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import { sizeOf, tensor } from '../../../src/core/onnx/tensor.ts';
import { Random } from '../../../src/core/random.ts';

/** Makes the parameters of networks that are no student architecture (yet); each draws from its own stream. */
export class Parameters {
  readonly #b: GraphBuilder;

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  normal(name: string, dims: readonly number[], deviation: number): string {
    const random = new Random(0, name);
    const values = Float64Array.from({ length: sizeOf(dims) }, () => random.normal() * deviation);
    return this.#b.initializer(name, tensor('float32', dims, values));
  }

  fill(name: string, dims: readonly number[], value: number): string {
    const values = new Float32Array(sizeOf(dims)).fill(value);
    return this.#b.initializer(name, tensor('float32', dims, values));
  }

  /** x W + b on [..., I], W [I, O]: what exporters make of a linear layer on sequences. */
  linear(name: string, x: string, features: number): string {
    const inputs = this.#b.type(x).shape!.at(-1) as number;
    const kernel = this.normal(`${name}.kernel`, [inputs, features], Math.sqrt(1 / inputs));
    return this.#b.op('Add', [this.#b.op('MatMul', [x, kernel]), this.fill(`${name}.bias`, [features], 0)]);
  }

  layerNorm(name: string, x: string): string {
    const width = this.#b.type(x).shape!.at(-1) as number;
    const inputs = [x, this.fill(`${name}.scale`, [width], 1), this.fill(`${name}.bias`, [width], 0)];
    return this.#b.op('LayerNormalization', inputs, { axis: -1 });
  }

  /** [N, D] to class scores called `output`. */
  classifier(x: string, classes: number, output: string): string {
    const [, inputs] = this.#b.type(x).shape as [unknown, number];
    const weight = this.normal('classifier.weight', [classes, inputs], Math.sqrt(1 / inputs));
    const bias = this.fill('classifier.bias', [classes], 0);
    return this.#b.op('Gemm', [x, weight, bias], { transB: 1 }, { outputs: [output] });
  }
}
