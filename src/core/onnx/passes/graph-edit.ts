import type { Attribute, Graph, Model, Node } from '../model.ts';
import { allGraphs } from '../walk.ts';

/** Pure helpers to rebuild graphs, bodies (graph attributes) included; walk.ts has those that read. */

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
      if (attribute.type === 'graph') return [key, { ...attribute, value: one(attribute.value) }];
      if (attribute.type === 'graphs') return [key, { ...attribute, value: attribute.value.map(one) }];
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

/** Renames values wherever they are made, read or declared. */
export function renameValues(graph: Graph, to: ReadonlyMap<string, string>): Graph {
  if (to.size === 0) return graph;
  const named = (name: string): string => to.get(name) ?? name;
  const one = <T extends { readonly name: string }>(value: T): T => ({ ...value, name: named(value.name) });
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...renameReads(node, to), outputs: node.outputs.map(named) })),
    initializers: new Map([...graph.initializers].map(([name, value]) => [named(name), value])),
    inputs: graph.inputs.map(one),
    outputs: graph.outputs.map(one),
    valueInfo: new Map([...graph.valueInfo].map(([name, value]) => [named(name), one(value)])),
  };
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
