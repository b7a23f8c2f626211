import { RetortError } from '../../errors.ts';
import type { Graph, Node } from './model.ts';

/** Reading graphs: who makes and who uses a value, in which order nodes can run. Bodies are graph attributes. */

export function bodiesOf(node: Node): readonly Graph[] {
  return Object.values(node.attributes).flatMap((attribute) =>
    attribute.type === 'graph' ? [attribute.value] : attribute.type === 'graphs' ? attribute.value : [],
  );
}

/** Every graph of a model: the main one first, then all bodies. */
export function allGraphs(graph: Graph): Graph[] {
  return [graph, ...graph.nodes.flatMap((node) => bodiesOf(node).flatMap(allGraphs))];
}

/** Names a node reads, those its bodies take from around them included. */
export function readsOf(node: Node): string[] {
  const inner = bodiesOf(node).flatMap((body) => {
    const own = new Set([...body.inputs.map((i) => i.name), ...body.initializers.keys()]);
    for (const n of body.nodes) for (const name of n.outputs) own.add(name);
    const reads = [...body.nodes.flatMap(readsOf), ...body.outputs.map((output) => output.name)];
    return reads.filter((name) => !own.has(name));
  });
  return [...node.inputs.filter((name) => name !== ''), ...inner];
}

/** How often each value of a graph is read, as a graph output too. */
export function useCounts(graph: Graph): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const node of graph.nodes) readsOf(node).forEach(add);
  for (const output of graph.outputs) add(output.name);
  return counts;
}

/** The node that makes each value. */
export function producers(graph: Pick<Graph, 'nodes'>): Map<string, Node> {
  return new Map(
    graph.nodes.flatMap((node) =>
      node.outputs.filter((name) => name !== '').map((name) => [name, node] as const),
    ),
  );
}

/** The nodes that read each value, those whose bodies read it included, each once. */
export function consumers(graph: Pick<Graph, 'nodes'>): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(readsOf(node))) {
      const list = found.get(name);
      if (list) list.push(node);
      else found.set(name, [node]);
    }
  }
  return found;
}

/** Calls `visit` for every node of the graph and of all bodies, outer ones first. */
export function visitNodes(graph: Graph, visit: (node: Node, graph: Graph) => void): void {
  for (const inside of allGraphs(graph)) for (const node of inside.nodes) visit(node, inside);
}

/**
 * The nodes so that each comes after what it reads, otherwise in the given order; an order that holds already is kept.
 * ONNX_INVALID, naming a node, if they run in a circle.
 */
export function topologicalOrder(graph: Graph): readonly Node[] {
  const makers = producers(graph);
  const done = new Set<Node>();
  const open = new Set<Node>();
  const order: Node[] = [];
  for (const root of graph.nodes) {
    const stack = [root];
    while (stack.length) {
      const node = stack.at(-1)!;
      if (done.has(node)) {
        stack.pop();
        continue;
      }
      const waiting = readsOf(node)
        .map((name) => makers.get(name))
        .filter((maker) => maker && !done.has(maker)) as Node[];
      if (waiting.length === 0) {
        stack.pop();
        open.delete(node);
        done.add(node);
        order.push(node);
      } else if (open.has(node)) {
        throw new RetortError('ONNX_INVALID', `${node.op} "${node.name}" needs its own result`);
      } else {
        open.add(node);
        stack.push(...waiting.reverse());
      }
    }
  }
  return order;
}
