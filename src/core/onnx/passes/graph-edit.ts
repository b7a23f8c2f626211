import type { Attribute, Graph, Model, Node } from '../model.ts';

/** Pure helpers to read and rebuild graphs, bodies (graph attributes) included. */

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
export function producers(graph: Graph): Map<string, Node> {
  return new Map(
    graph.nodes.flatMap((node) =>
      node.outputs.filter((name) => name !== '').map((name) => [name, node] as const),
    ),
  );
}

/** Rebuilds the bodies of a node; the node itself where nothing changed. */
export function mapBodies(node: Node, f: (body: Graph) => Graph): Node {
  let changed = false;
  const one = (body: Graph): Graph => {
    const next = f(body);
    changed ||= next !== body;
    return next;
  };
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] => {
      if (attribute.type === 'graph') return [key, { type: 'graph', value: one(attribute.value) }];
      if (attribute.type === 'graphs') return [key, { type: 'graphs', value: attribute.value.map(one) }];
      return [key, attribute];
    }),
  );
  return changed ? { ...node, attributes } : node;
}

/** Replaces read names throughout a node, where the map has them (bodies that redefine a name keep theirs). */
export function renameReads(node: Node, to: ReadonlyMap<string, string>): Node {
  if (to.size === 0) return node;
  const inside = mapBodies(node, (body) => renameInBody(body, to));
  if (!inside.inputs.some((name) => to.has(name))) return inside;
  return { ...inside, inputs: inside.inputs.map((name) => to.get(name) ?? name) };
}

function renameInBody(body: Graph, to: ReadonlyMap<string, string>): Graph {
  const own = new Set([...body.inputs.map((i) => i.name), ...body.initializers.keys()]);
  for (const n of body.nodes) for (const name of n.outputs) own.add(name);
  const visible = new Map([...to].filter(([name]) => !own.has(name)));
  const nodes = body.nodes.map((node) => renameReads(node, visible));
  const outputs = body.outputs.map((o) => (visible.has(o.name) ? { ...o, name: visible.get(o.name)! } : o));
  const same =
    nodes.every((node, i) => node === body.nodes[i]) && outputs.every((o, i) => o === body.outputs[i]);
  return same ? body : { ...body, nodes, outputs };
}

/** All value names in use anywhere in the model. */
export function namesIn(model: Model): Set<string> {
  const names = new Set<string>();
  for (const graph of allGraphs(model.graph)) {
    for (const input of graph.inputs) names.add(input.name);
    for (const name of graph.initializers.keys()) names.add(name);
    for (const node of graph.nodes) for (const name of [...node.inputs, ...node.outputs]) names.add(name);
  }
  return names;
}

/** A maker of names the model does not use yet. */
export function freshNames(taken: Set<string>): (stem: string) => string {
  return (stem) => {
    let name = stem;
    for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
    taken.add(name);
    return name;
  };
}

export const withGraph = (model: Model, graph: Graph): Model =>
  graph === model.graph ? model : { ...model, graph };

/** Drops type notes of values that are gone. */
export function trimValueInfo(graph: Graph): Graph {
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const kept = [...graph.valueInfo].filter(([name]) => made.has(name));
  return kept.length === graph.valueInfo.size ? graph : { ...graph, valueInfo: new Map(kept) };
}
