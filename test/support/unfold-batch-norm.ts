import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import { toAttribute } from '../../src/core/onnx/attributes.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { feedInputs, type Model, type Node } from '../../src/core/onnx/model.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { withOutputs } from '../../src/core/onnx/with-outputs.ts';

const EPSILON = 1e-5;

/** A model that does the same, with batch normalisation behind every convolution that keeps its statistics on these rows. */
export async function unfoldBatchNorm(model: Model, rows: NDArray): Promise<Model> {
  const outputs = model.graph.nodes.filter(({ op }) => op === 'Conv').map((node) => node.outputs[0]!);
  const session = await onnxruntime.open(encodeModel(withOutputs(model, outputs)), {
    device: 'cpu',
    threads: 1,
  });
  const seen = await session.run({ [feedInputs(model.graph)[0]!.name]: rows }, outputs);
  await session.close();
  const initializers = new Map(model.graph.initializers);
  const nodes = model.graph.nodes.flatMap((node): Node[] => {
    const [output] = node.outputs as [string];
    if (!outputs.includes(output)) return [node];
    const { means, variances } = momentsOf(seen[output]!);
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
  return { ...model, graph: { ...model.graph, nodes, initializers, valueInfo: [] } } as unknown as Model;
}

/** Mean and variance of each channel of [N, C, ...]. */
function momentsOf({ data, dims }: NDArray): { readonly means: number[]; readonly variances: number[] } {
  const [count, channels, ...inner] = dims as [number, number, ...number[]];
  const places = inner.reduce((product, dim) => product * dim, 1);
  const of = (c: number): number[] =>
    Array.from({ length: count * places }, (_, i) => {
      const [row, place] = [Math.floor(i / places), i % places];
      return Number((data as Float32Array)[(row * channels + c) * places + place]);
    });
  const mean = (list: number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const all = Array.from({ length: channels }, (_, c) => of(c));
  const means = all.map(mean);
  return { means, variances: all.map((list, c) => mean(list.map((value) => (value - means[c]!) ** 2))) };
}
