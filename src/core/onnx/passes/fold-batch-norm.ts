import { floatAttribute, intAttribute } from '../attributes.ts';
import { isFloat } from '../dtype.ts';
import type { Graph, Node } from '../model.ts';
import { numbers, sizeOf, type Tensor, tensor } from '../tensor.ts';
import { producers, useCounts } from '../walk.ts';
import { freshNames, namesIn, trimValueInfo, withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';
import { prune } from './prune.ts';

/**
 * Folds a BatchNormalization at inference into the Conv, ConvTranspose or Gemm before it, where nothing else reads between:
 *   s = scale / sqrt(variance + epsilon);  W' = W s (per output channel);  b' = (b - mean) s + bias.
 * Computed in double precision and rounded once. Weights that others read too are copied.
 */
export const foldBatchNorm: Pass = {
  name: 'fold-batch-norm',
  summary: 'No BatchNormalization stands directly behind a Conv, ConvTranspose or Gemm.',
  run: (model) => {
    const graph = folded(model.graph, freshNames(namesIn(model)));
    return graph === model.graph ? model : prune.run(withGraph(model, graph), {});
  },
  ensures: (result) =>
    result.graph.nodes
      .filter((node) => matched(node, result.graph, producers(result.graph), useCounts(result.graph)))
      .map((node) => `${node.op} "${node.name}" could still be folded`),
};

interface Match {
  readonly before: Node;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** scale, bias, mean, variance. */
  readonly statistics: readonly Tensor[];
}

function matched(
  node: Node,
  graph: Graph,
  made: ReadonlyMap<string, Node>,
  uses: ReadonlyMap<string, number>,
): Match | undefined {
  if (node.op !== 'BatchNormalization' || node.domain !== '') return undefined;
  if (node.outputs.slice(1).some((name) => name !== '') || intAttribute(node, 'training_mode', 0) === 1)
    return undefined;
  const before = made.get(node.inputs[0]!);
  if (before?.domain !== '' || !['Conv', 'ConvTranspose', 'Gemm'].includes(before.op)) return undefined;
  if (uses.get(node.inputs[0]!) !== 1) return undefined;
  const stored = (name: string | undefined): Tensor | undefined => graph.initializers.get(name ?? '');
  const weight = stored(before.inputs[1]);
  const bias = stored(before.inputs[2]);
  const statistics = node.inputs.slice(1, 5).map(stored);
  if (!weight || !isFloat(weight.dtype) || weight.external) return undefined;
  if (before.inputs[2] && (!bias || bias.dims.length > 1)) return undefined;
  // A beta of zero hides the bias: such a Gemm cannot take one over.
  if (bias && floatAttribute(before, 'beta', 1) === 0) return undefined;
  if (!statistics.every((t) => t !== undefined && t.dtype === statistics[0]!.dtype)) return undefined;
  return { before, weight, bias, statistics: statistics as Tensor[] };
}

/** Output channel of every weight element. */
function channelOf(node: Node, dims: readonly number[]): (i: number) => number {
  if (node.op === 'Conv') {
    const inner = sizeOf(dims.slice(1));
    return (i) => Math.floor(i / inner);
  }
  if (node.op === 'Gemm') {
    const columns = dims[1]!;
    return intAttribute(node, 'transB', 0) ? (i) => Math.floor(i / columns) : (i) => i % columns;
  }
  // [C, M / groups, ...kernel]: rows of group g make channels g M / groups and on.
  const kernel = sizeOf(dims.slice(2));
  const each = dims[1]!;
  const rows = dims[0]! / intAttribute(node, 'group', 1);
  return (i) => Math.floor(i / (kernel * each) / rows) * each + (Math.floor(i / kernel) % each);
}

function refit(match: Match, epsilon: number): { weight: Tensor; bias: Tensor } {
  const { before, weight, bias } = match;
  const [scale, shift, mean, variance] = match.statistics.map(numbers) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const factor = scale.map((g, c) => g / Math.sqrt(variance[c]! + epsilon));
  const channel = channelOf(before, weight.dims);
  const values = numbers(weight).map((w, i) => w * factor[channel(i)]!);
  // Gemm scales its bias by beta: undo that in what is stored.
  const beta = before.op === 'Gemm' && bias ? floatAttribute(before, 'beta', 1) : 1;
  const old = bias ? numbers(bias) : [0];
  const offset = factor.map((f, c) => {
    const b = (old.length === 1 ? old[0]! : old[c]!) * beta;
    return ((b - mean[c]!) * f + shift[c]!) / beta;
  });
  return {
    weight: tensor(weight.dtype, weight.dims, values),
    bias: tensor(weight.dtype, [offset.length], offset),
  };
}

function folded(graph: Graph, fresh: (stem: string) => string): Graph {
  const stored = new Map<string, Tensor>(graph.initializers);
  const uses = useCounts(graph);
  const made = producers(graph);
  const replaced = new Map<Node, Node>();
  const dropped = new Set<Node>();
  for (const node of graph.nodes) {
    const match = matched(node, graph, made, uses);
    if (!match) continue;
    const { weight, bias } = refit(match, floatAttribute(node, 'epsilon', 1e-5));
    const keep = (name: string | undefined, stem: string, value: Tensor): string => {
      const own = name && uses.get(name) === 1 ? name : fresh(stem);
      stored.set(own, value);
      return own;
    };
    const [x, w, b] = match.before.inputs;
    const inputs = [x!, keep(w, w!, weight), keep(b || undefined, b || `${w}.bias`, bias)];
    replaced.set(match.before, { ...match.before, inputs, outputs: [node.outputs[0]!] });
    dropped.add(node);
  }
  if (dropped.size === 0) return graph;
  const nodes = graph.nodes.filter((node) => !dropped.has(node)).map((node) => replaced.get(node) ?? node);
  return trimValueInfo({ ...graph, nodes, initializers: stored });
}
