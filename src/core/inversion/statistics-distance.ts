import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Graph, Node } from '../onnx/model.ts';

const isStatistics = ({ initializers }: Pick<Graph, 'initializers'>, node: Node): boolean =>
  node.op === 'BatchNormalization' &&
  node.domain === '' &&
  node.inputs.slice(3, 5).every((name) => initializers.has(name));

/** The nodes of a graph that keep what their inputs were in training: mean and variance per channel. */
export const statisticsNodes = (graph: Pick<Graph, 'nodes' | 'initializers'>): readonly Node[] =>
  graph.nodes.filter((node) => isStatistics(graph, node));

/**
 * Mean over the nodes of |mean(x) - m| + |var(x) - v|, Euclidean norms over the channels, x the input of the node over batch
 * and places. DeepInversion adds the nodes up; the mean keeps the weight apart from the depth of the teacher.
 */
export function statisticsDistance(b: GraphBuilder, nodes: readonly Node[]): string {
  invariant(nodes.length > 0, 'no statistics to match');
  const distances = nodes.map(({ inputs }) => {
    const [x, , , mean, variance] = inputs as [string, string, string, string, string];
    const rank = b.dims(x).length;
    const axes = b.ints(Array.from({ length: rank }, (_, i) => i).filter((axis) => axis !== 1));
    const average = b.op('ReduceMean', [x, axes], { keepdims: 1 });
    const centred = b.op('Sub', [x, average]);
    const spread = b.op('ReduceMean', [b.op('Mul', [centred, centred]), axes], { keepdims: 1 });
    const flat = (value: string): string => b.op('Reshape', [value, b.ints([-1])]);
    return b.op('Add', [norm(b, flat(average), mean), norm(b, flat(spread), variance)]);
  });
  const sum = distances.reduce((total, each) => b.op('Add', [total, each]));
  return b.op('Div', [sum, b.constant(nodes.length)]);
}

/** Where it is 0 the norm has no gradient; this keeps it finite. */
const TINY = 1e-12;

function norm(b: GraphBuilder, one: string, other: string): string {
  const difference = b.op('Sub', [one, other]);
  const square = b.op('ReduceSum', [b.op('Mul', [difference, difference])], { keepdims: 0 });
  return b.op('Sqrt', [b.op('Add', [square, b.constant(TINY)])]);
}
