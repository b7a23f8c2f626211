import { encodeModel } from './encode.ts';
import type { Attribute, Graph, Model, Node } from './model.ts';

/**
 * A name for the content of a model: equal for files that differ only in how they were written (field order, raw or
 * typed tensor data, order of initializers, attributes, opsets and metadata). `digest` names bytes; the core has no
 * hash of its own, callers give sha256.
 */
export function hashModel(model: Model, digest: (bytes: Uint8Array) => string): string {
  return digest(
    encodeModel({
      ...model,
      opsets: sortRecord(model.opsets),
      ...(model.metadata ? { metadata: sortRecord(model.metadata) } : {}),
      graph: canonicalGraph(model.graph),
    }),
  );
}

function canonicalGraph(graph: Graph): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map(canonicalNode),
    initializers: new Map(sortEntries([...graph.initializers])),
    valueInfo: new Map(sortEntries([...graph.valueInfo])),
  };
}

function canonicalNode(node: Node): Node {
  const entries = Object.entries(node.attributes).map(([name, attribute]): [string, Attribute] => {
    if (attribute.type === 'graph') return [name, { ...attribute, value: canonicalGraph(attribute.value) }];
    if (attribute.type === 'graphs') {
      return [name, { ...attribute, value: attribute.value.map(canonicalGraph) }];
    }
    return [name, attribute];
  });
  return { ...node, attributes: Object.fromEntries(sortEntries(entries)) };
}

/** By code units, the same on every machine. */
const sortEntries = <T>(entries: [string, T][]): [string, T][] =>
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

const sortRecord = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(sortEntries(Object.entries(record)));
