import { RetortError } from '../../errors.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import type { Graph, Node } from '../onnx/model.ts';
import { numbers } from '../onnx/tensor.ts';
import type { NoiseInput } from './program.ts';

/**
 * Rewrites Dropout nodes in training mode into arithmetic on a declared uniform noise input u:
 * y = x * [u >= ratio] / (1 - ratio). So both kernels see the same noise and no kernel keeps RNG state.
 * Source: https://onnx.ai/onnx/operators/onnx__Dropout.html
 */
export function declareDropout(graph: Graph): {
  readonly graph: Graph;
  readonly noise: readonly NoiseInput[];
} {
  if (!graph.nodes.some(isTrainingDropout(graph))) return { graph, noise: [] };
  const b = new GraphBuilder();
  const noise: NoiseInput[] = [];
  for (const [name, value] of graph.initializers) b.initializer(name, value);
  for (const { name, dtype, shape } of graph.inputs) if (!b.has(name)) b.input(name, dtype, shape);
  for (const node of graph.nodes) {
    if (!isTrainingDropout(graph)(node)) {
      b.node(node);
      continue;
    }
    const [x, ratioName] = node.inputs as [string, string];
    const stream = `dropout:${noise.length}`;
    const dims = b.dims(x);
    noise.push({ name: stream, dtype: 'float32', dims, distribution: 'uniform', stream });
    const ratio = ratioName ? numbers(graph.initializers.get(ratioName)!)[0]! : 0.5;
    const kept = b.op('GreaterOrEqual', [b.input(stream, 'float32', dims), b.constant(ratio)]);
    const mask = b.op('Mul', [b.op('Cast', [kept], { to: 1 }), b.constant(1 / (1 - ratio))]);
    b.op('Mul', [x, mask], {}, { outputs: [node.outputs[0]!] });
  }
  b.output(...graph.outputs.map((output) => output.name));
  return { graph: b.build(graph.name), noise };
}

const isTrainingDropout = (graph: Graph) => (node: Node) => {
  if (node.op !== 'Dropout' || node.domain !== '' || !node.inputs[2]) return false;
  const mode = graph.initializers.get(node.inputs[2]);
  const ratio = node.inputs[1] ? graph.initializers.get(node.inputs[1]) : undefined;
  if (!mode || (node.inputs[1] && !ratio)) {
    throw new RetortError(
      'TRAIN_UNSUPPORTED',
      `Dropout "${node.name}": ratio and training mode must be constants`,
    );
  }
  return mode.bytes[0] !== 0;
};
