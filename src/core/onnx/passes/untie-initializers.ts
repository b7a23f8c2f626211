import type { Graph, Node } from '../model.ts';
import type { Tensor } from '../tensor.ts';
import { mapBodies, trimValueInfo, withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';
import { prune } from './prune.ts';

export interface UntieOptions {
  /** Initializers that stay shared: their Identity copies are left, so one gradient flows to one tensor. */
  readonly tied?: ReadonlySet<string>;
}

/**
 * PyTorch's exporter stores equal initializers once and copies them by Identity nodes, though they are separate parameters
 * that only happen to start equal. Each copy becomes an initializer of its own, named by the Identity's output.
 */
export const untieInitializers: Pass<UntieOptions> = {
  name: 'untie-initializers',
  summary: 'No Identity node copies an initializer (tied ones excepted).',
  run: (model, options) => {
    const graph = untied(model.graph, options.tied ?? new Set());
    return graph === model.graph ? model : prune.run(withGraph(model, graph), {});
  },
  ensures: (result, { tied }) =>
    result.graph.nodes
      .filter((node) => copies(node, result.graph) && !tied?.has(node.inputs[0]!))
      .map((node) => `"${node.outputs[0]}" still copies "${node.inputs[0]}"`),
};

const copies = (node: Node, graph: Graph): boolean =>
  node.op === 'Identity' &&
  node.domain === '' &&
  graph.initializers.has(node.inputs[0]!) &&
  !graph.outputs.some((output) => output.name === node.outputs[0]);

/** Chains of copies resolve in one walk, since nodes are in topological order. Copies in bodies move out with their name. */
function untied(graph: Graph, tied: ReadonlySet<string>): Graph {
  const stored = new Map<string, Tensor>(graph.initializers);
  let found = false;
  const walk = (g: Graph): Graph => {
    let changed = false;
    const outputs = new Set(g.outputs.map((output) => output.name));
    const nodes = g.nodes.flatMap((original) => {
      const node = mapBodies(original, walk);
      changed ||= node !== original;
      const [from, to] = [node.inputs[0] ?? '', node.outputs[0] ?? ''];
      const value = node.op === 'Identity' && node.domain === '' ? stored.get(from) : undefined;
      if (!value || tied.has(from) || outputs.has(to) || stored.has(to)) return [node];
      stored.set(to, value);
      changed = true;
      return [];
    });
    found ||= changed;
    return changed ? { ...g, nodes } : g;
  };
  const walked = walk(graph);
  return found ? trimValueInfo({ ...walked, initializers: stored }) : graph;
}
