import { intAttribute } from '../onnx/attributes.ts';
import type { Graph, Node } from '../onnx/model.ts';
import { sizeOf } from '../onnx/tensor.ts';
import { GIVEN_PREFIX } from '../students/own-names.ts';
import type { StatePair } from './program.ts';

/** Operators whose second and third input are weights, even when they hold one number. */
const WEIGHTED = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'BatchNormalization',
  'PRelu',
  'LayerNormalization',
]);

/**
 * The trained initializers of a student: float32, and either more than one number or a weight of an operator that has
 * weights. Running statistics of BatchNormalization are state, not parameters; lone scalars (a scale, an epsilon) are
 * constants of the architecture, and what stands for a further input is fed.
 */
export function trainableNames(graph: Graph): string[] {
  const statistics = new Set(graph.nodes.filter(isBatchNorm).flatMap((node) => node.inputs.slice(3, 5)));
  const weights = new Set(
    graph.nodes.filter((node) => WEIGHTED.has(node.op)).flatMap((node) => node.inputs.slice(1, 3)),
  );
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  return [...graph.initializers]
    .filter(
      ([name, value]) =>
        value.dtype === 'float32' &&
        read.has(name) &&
        !statistics.has(name) &&
        !name.startsWith(GIVEN_PREFIX) &&
        (weights.has(name) || sizeOf(value.dims) > 1),
    )
    .map(([name]) => name);
}

/** Running statistics and the outputs that follow them, for every BatchNormalization in training mode. */
export function runningStatistics(graph: Graph): StatePair[] {
  return graph.nodes
    .filter((node) => isBatchNorm(node) && intAttribute(node, 'training_mode', 0) === 1)
    .flatMap((node) =>
      [1, 2].flatMap((i) => {
        const next = node.outputs[i];
        return next ? [{ initial: node.inputs[i + 2]!, next }] : [];
      }),
    );
}

const isBatchNorm = (node: Node) => node.op === 'BatchNormalization' && node.domain === '';
