import { RetortError } from '../../../errors.ts';
import { inferShapes } from '../infer-shapes.ts';
import type { Graph, Model, ValueInfo } from '../model.ts';
import { readsOf } from '../walk.ts';
import { trimValueInfo, withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';

export interface PruneOptions {
  /** New graph outputs in place of the present ones: cuts the graph there. */
  readonly outputs?: readonly string[];
  /** Also drop graph inputs that nothing reads. */
  readonly inputs?: boolean;
}

/** Removes nodes, initializers and (on request) inputs that no output depends on. */
export const prune: Pass<PruneOptions> = {
  name: 'prune',
  summary: 'Nothing in the graph is without effect on its outputs.',
  requires: (model, { outputs = [] }) => {
    const made = valueNames(model.graph);
    return outputs
      .filter((name) => !made.has(name))
      .map((name) => `no value named "${name}" to be an output`);
  },
  run: (model, options) => withGraph(model, pruned(withOutputs(model, options.outputs), options)),
  ensures: (result) => {
    const live = liveNames(result.graph);
    return result.graph.nodes
      .filter((node) => !node.outputs.some((name) => live.has(name)))
      .map((node) => `${node.op} "${node.name}" is not needed`);
  },
};

function valueNames(graph: Graph): Set<string> {
  return new Set([
    ...graph.inputs.map((input) => input.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]);
}

function withOutputs(model: Model, names: readonly string[] | undefined): Graph {
  const graph = model.graph;
  const same =
    names?.length === graph.outputs.length && names.every((name, i) => graph.outputs[i]?.name === name);
  if (!names || same) return graph;
  const { types } = inferShapes(model);
  const outputs = names.map((name): ValueInfo => {
    const known = graph.outputs.find((output) => output.name === name);
    const type = types.get(name);
    if (!known && !type) throw new RetortError('INTERNAL', `prune: no type for "${name}"`);
    return known ?? { name, dtype: type?.dtype, shape: type?.shape };
  });
  return { ...graph, outputs };
}

/** Names on the way to the outputs, found from the end. */
function liveNames(graph: Graph): Set<string> {
  const live = new Set(graph.outputs.map((output) => output.name));
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => live.has(name))) continue;
    for (const name of readsOf(node)) live.add(name);
  }
  return live;
}

/** The same of a graph alone. */
export function pruned(graph: Graph, options: PruneOptions = {}): Graph {
  const live = liveNames(graph);
  live.delete('');
  const nodes = graph.nodes.filter((node) => node.outputs.some((name) => live.has(name)));
  const initializers = new Map([...graph.initializers].filter(([name]) => live.has(name)));
  const dropped = (input: ValueInfo): boolean =>
    !live.has(input.name) && (options.inputs === true || graph.initializers.has(input.name));
  const inputs = graph.inputs.filter((input) => !dropped(input));
  if (
    nodes.length === graph.nodes.length &&
    initializers.size === graph.initializers.size &&
    inputs.length === graph.inputs.length
  ) {
    return graph;
  }
  return trimValueInfo({ ...graph, nodes, initializers, inputs });
}
