import { invariant } from '../../errors.ts';
import { float } from '../onnx/attributes.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Graph, Node } from '../onnx/model.ts';
import { numbers } from '../onnx/tensor.ts';

const isStatistics = ({ initializers }: Pick<Graph, 'initializers'>, node: Node): boolean =>
  node.op === 'BatchNormalization' &&
  node.domain === '' &&
  node.inputs.slice(3, 5).every((name) => initializers.has(name));

/** The nodes of a graph that keep what their inputs were in training: mean and variance per channel. */
export const statisticsNodes = (graph: Pick<Graph, 'nodes' | 'initializers'>): readonly Node[] =>
  graph.nodes.filter((node) => isStatistics(graph, node));

/** Part of the mean variance of a node that is added to each channel's: one that was never active counts little. */
const FLOOR = 0.01;

/**
 * Mean over the nodes of rms((mean(x) - m) / sqrt(w)) + rms((var(x) - v) / w), x the input of a node over batch and
 * places, m and v what it keeps, rms over its channels, w = v + 0.01 mean(v). DeepInversion adds up norms of the plain
 * differences; measured by the node's own deviations, and as means over channels and nodes, the weight depends neither
 * on the scale nor on the size of the teacher.
 */
export function statisticsDistance(b: GraphBuilder, nodes: readonly Node[]): string {
  invariant(nodes.length > 0, 'no statistics to match');
  const distances = nodes.map(({ inputs }) => {
    const [x, , , mean, variance] = inputs as [string, string, string, string, string];
    const kept = numbers(b.initializers.get(variance)!);
    const floor = (FLOOR * kept.reduce((sum, v) => sum + v, 0)) / kept.length + TINY;
    const unit = kept.map((v) => v + floor);
    const zeros = b.constant(kept.map(() => 0));
    const ones = b.constant(kept.map(() => 1));
    // Of the operator only the statistics of the batch are read; kernels have it in fewer passes than reductions.
    const [, average, spread] = b.ops(
      'BatchNormalization',
      [x, ones, zeros, zeros, ones],
      { training_mode: 1, momentum: float(0) },
      { outputs: 3 },
    ) as [string, string, string];
    return b.op('Add', [rms(b, average, mean, unit.map(Math.sqrt)), rms(b, spread, variance, unit)]);
  });
  const sum = distances.reduce((total, each) => b.op('Add', [total, each]));
  return b.op('Div', [sum, b.constant(nodes.length)]);
}

/** Where it is 0 the root has no gradient; this keeps it finite. */
const TINY = 1e-12;

function rms(b: GraphBuilder, one: string, other: string, unit: readonly number[]): string {
  const difference = b.op('Div', [b.op('Sub', [one, other]), b.constant(unit)]);
  const square = b.op('ReduceMean', [b.op('Mul', [difference, difference])], { keepdims: 0 });
  return b.op('Sqrt', [b.op('Add', [square, b.constant(TINY)])]);
}
