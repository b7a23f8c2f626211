import type { Graph, Model, Node } from '../model.ts';
import type { ValueType } from '../ops/op.ts';
import type { Tensor } from '../tensor.ts';
import { freshNames, namesIn, trimValueInfo, withGraph } from './graph-edit.ts';
import { identity, spliceBody } from './splice-body.ts';

/**
 * If nodes whose condition is known are replaced by the branch that is taken, until none is left. Only the main graph is
 * searched: what lies in a Loop body stays there.
 */
export function inlineBranches(model: Model, infer: (model: Model) => ReadonlyMap<string, ValueType>): Model {
  let current = model;
  for (;;) {
    if (!current.graph.nodes.some((node) => node.op === 'If')) return current;
    const next = inlineOnce(current, infer(current));
    if (next === current) return current;
    current = next;
  }
}

function inlineOnce(model: Model, types: ReadonlyMap<string, ValueType>): Model {
  const graph = model.graph;
  const fresh = freshNames(namesIn(model));
  const stored = new Map<string, Tensor>(graph.initializers);
  let changed = false;
  const nodes = graph.nodes.flatMap((node) => {
    const condition =
      node.op === 'If' && node.domain === '' ? types.get(node.inputs[0]!)?.constant : undefined;
    const branch = condition && node.attributes[condition.bytes[0] ? 'then_branch' : 'else_branch'];
    if (branch?.type !== 'graph') return [node];
    changed = true;
    return inPlaceOf(node, branch.value, stored, fresh);
  });
  if (!changed) return model;
  return withGraph(model, trimValueInfo({ ...graph, nodes, initializers: stored }));
}

/** The nodes of a branch; what it returns keeps the If's names through Identity: it may be a value from around the If. */
function inPlaceOf(node: Node, branch: Graph, stored: Map<string, Tensor>, fresh: (stem: string) => string) {
  const { nodes, outputs } = spliceBody(branch, [], stored, fresh);
  const ends = outputs.flatMap((from, i) => (node.outputs[i] ? [identity(from, node.outputs[i])] : []));
  return [...nodes, ...ends];
}
