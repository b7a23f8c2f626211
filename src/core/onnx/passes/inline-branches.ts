import type { Graph, Model, Node, ValueInfo } from '../model.ts';
import type { ValueType } from '../ops/op.ts';
import type { Tensor } from '../tensor.ts';
import { freshNames, namesIn, renameReads, trimValueInfo, withGraph } from './graph-edit.ts';

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
    return spliced(node, branch.value, stored, fresh);
  });
  if (!changed) return model;
  return withGraph(model, trimValueInfo({ ...graph, nodes, initializers: stored }));
}

/** The nodes of a branch under names of their own, its outputs named as the If names them. */
function spliced(
  node: Node,
  branch: Graph,
  stored: Map<string, Tensor>,
  fresh: (stem: string) => string,
): Node[] {
  const to = new Map<string, string>();
  for (const [name, value] of branch.initializers) {
    to.set(name, fresh(name));
    stored.set(to.get(name)!, value);
  }
  for (const inner of branch.nodes) {
    for (const name of inner.outputs) if (name !== '') to.set(name, fresh(name));
  }
  const body = branch.nodes.map((inner): Node => {
    const read = renameReads(inner, to);
    return { ...read, outputs: inner.outputs.map((name) => to.get(name) ?? name) };
  });
  // The taken outputs keep the If's names through Identity: an output may be a value from around the If.
  const ends = branch.outputs.map((output: ValueInfo, i): Node => {
    const from = to.get(output.name) ?? output.name;
    return {
      op: 'Identity',
      domain: '',
      name: '',
      inputs: [from],
      outputs: [node.outputs[i]!],
      attributes: {},
    };
  });
  return [...body, ...ends.filter((end) => end.outputs[0] !== undefined && end.outputs[0] !== '')];
}
