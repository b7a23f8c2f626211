import { intAttribute } from '../attributes.ts';
import type { Graph, Node } from '../model.ts';
import { allGraphs, readsOf } from '../walk.ts';
import { mapBodies, renameReads, trimValueInfo, withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';
import { prune } from './prune.ts';

/**
 * Turns a training graph into one for inference.
 * 1. BatchNormalization uses its running statistics; the new ones it made are gone, and graph outputs made of them too.
 * 2. Dropout goes (its mask must not be used elsewhere).
 */
export const inferenceMode: Pass = {
  name: 'inference-mode',
  summary: 'BatchNormalization normalises by running statistics and no Dropout is left.',
  run: (model) => {
    const lost = new Set<string>();
    const graph = atInference(model.graph, lost);
    if (graph === model.graph) return model;
    return prune.run(withGraph(model, withoutLost(graph, lost)), {});
  },
  ensures: (result) =>
    allGraphs(result.graph)
      .flatMap((graph) => graph.nodes)
      .filter((node) => isTraining(node))
      .map((node) => `${node.op} "${node.name}" is still in training mode`),
};

const isTraining = (node: Node): boolean =>
  node.domain === '' &&
  node.op === 'BatchNormalization' &&
  (intAttribute(node, 'training_mode', 0) === 1 || node.outputs.length > 1);

function atInference(graph: Graph, lost: Set<string>): Graph {
  const alias = new Map<string, string>();
  const outputs = new Set(graph.outputs.map((output) => output.name));
  let changed = false;
  const nodes = graph.nodes.flatMap((original): Node[] => {
    const node = mapBodies(renameReads(original, alias), (body) => atInference(body, lost));
    changed ||= node !== original;
    if (isTraining(node)) {
      for (const name of node.outputs.slice(1)) if (name !== '') lost.add(name);
      const { training_mode: _, ...attributes } = node.attributes;
      changed = true;
      return [{ ...node, outputs: node.outputs.slice(0, 1), attributes }];
    }
    if (node.op !== 'Dropout' || node.domain !== '') return [node];
    const [from, to, mask] = [node.inputs[0]!, node.outputs[0]!, node.outputs[1]];
    if (mask) lost.add(mask);
    changed = true;
    // An output of the graph keeps its name.
    if (outputs.has(to)) return [{ ...node, op: 'Identity', inputs: [from], outputs: [to], attributes: {} }];
    alias.set(to, from);
    return [];
  });
  return changed ? trimValueInfo({ ...graph, nodes }) : graph;
}

/** Drops what is computed from values that are gone, graph outputs included. */
function withoutLost(graph: Graph, lost: Set<string>): Graph {
  const nodes = graph.nodes.filter((node) => {
    if (!readsOf(node).some((name) => lost.has(name))) return true;
    for (const name of node.outputs) lost.add(name);
    return false;
  });
  return { ...graph, nodes, outputs: graph.outputs.filter((output) => !lost.has(output.name)) };
}
