import type { NDArray } from '../../src/core/ndarray.ts';
import { toAttribute } from '../../src/core/onnx/attributes.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { feedInputs, type Model, type Node } from '../../src/core/onnx/model.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { withOutputs } from '../../src/core/onnx/with-outputs.ts';
import type { Runtime } from '../../src/pipeline/ports.ts';

const EPSILON = 1e-5;

/**
 * A model that does the same, with batch normalisation behind every convolution that keeps its statistics on these rows:
 * what is left of a file whose batch normalisation was folded into the convolutions, with what it once kept.
 */
export async function unfoldBatchNorm(
  model: Model,
  batches: AsyncIterable<NDArray> | Iterable<NDArray>,
  runtime: Pick<Runtime, 'open'>,
): Promise<Model> {
  const outputs = model.graph.nodes.filter(({ op }) => op === 'Conv').map((node) => node.outputs[0]!);
  const session = await runtime.open(encodeModel(withOutputs(model, outputs)), { device: 'cpu', threads: 1 });
  const moments = new Map(outputs.map((output) => [output, new Moments()]));
  try {
    for await (const rows of batches) {
      const seen = await session.run({ [feedInputs(model.graph)[0]!.name]: rows }, outputs);
      for (const output of outputs) moments.get(output)!.add(seen[output]!);
    }
  } finally {
    await session.close();
  }
  const initializers = new Map(model.graph.initializers);
  const nodes = model.graph.nodes.flatMap((node): Node[] => {
    const [output] = node.outputs as [string];
    const known = moments.get(output);
    if (!known) return [node];
    const { means, variances } = known;
    const plain = `${output}.plain`;
    const parts = {
      scale: variances.map((v) => Math.sqrt(v + EPSILON)),
      bias: means,
      mean: means,
      var: variances,
    };
    for (const [name, values] of Object.entries(parts)) {
      initializers.set(`${output}.${name}`, tensor('float32', [values.length], values));
    }
    const inputs = [plain, ...Object.keys(parts).map((name) => `${output}.${name}`)];
    const normal: Node = {
      op: 'BatchNormalization',
      domain: '',
      name: `${output}.norm`,
      inputs,
      outputs: [output],
      attributes: { epsilon: toAttribute({ type: 'float', value: EPSILON }) },
    };
    return [{ ...node, outputs: [plain] }, normal];
  });
  return { ...model, graph: { ...model.graph, nodes, initializers, valueInfo: new Map() } };
}

/** Mean and variance of each channel of [N, C, ...], over all batches that are added. */
class Moments {
  #sums: { readonly first: Float64Array; readonly second: Float64Array } | undefined;
  #count = 0;

  add({ data, dims }: NDArray): void {
    const [rows, channels, ...inner] = dims as [number, number, ...number[]];
    const places = inner.reduce((product, dim) => product * dim, 1);
    this.#sums ??= { first: new Float64Array(channels), second: new Float64Array(channels) };
    const { first, second } = this.#sums;
    const values = data as Float32Array;
    for (let block = 0; block < rows * channels; block++) {
      let [sum, squares] = [0, 0];
      for (let at = block * places; at < (block + 1) * places; at++) {
        const value = values[at]!;
        sum += value;
        squares += value * value;
      }
      first[block % channels]! += sum;
      second[block % channels]! += squares;
    }
    this.#count += rows * places;
  }

  get means(): number[] {
    return Array.from(this.#sums!.first, (sum) => sum / this.#count);
  }

  get variances(): number[] {
    const { means } = this;
    return Array.from(this.#sums!.second, (sum, c) => Math.max(0, sum / this.#count - means[c]! ** 2));
  }
}
