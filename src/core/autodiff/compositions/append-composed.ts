import { GraphBuilder } from '../../onnx/builder.ts';
import type { Graph, Node } from '../../onnx/model.ts';
import { compositions } from './index.ts';

/** Adds what a node is made of in its place, its outputs under their own names. */
export function appendComposed(b: GraphBuilder, node: Node): void {
  const made = compositions.get(node.op)!(b, node);
  node.outputs.forEach((output, i) => {
    if (output) b.op('Identity', [made[i]!], {}, { outputs: [output] });
  });
}

/** A graph of static shapes in which the operators that an engine lacks are written in others, where that is known. */
export function composedGraph(graph: Graph, lacks: (node: Node) => boolean): Graph {
  const wanted = (node: Node): boolean => node.domain === '' && compositions.has(node.op) && lacks(node);
  if (!graph.nodes.some(wanted)) return graph;
  const b = new GraphBuilder();
  for (const { outputs } of graph.nodes) b.reserve(outputs);
  b.append({ ...graph, nodes: [] });
  for (const node of graph.nodes) {
    if (wanted(node)) appendComposed(b, node);
    else b.node(node);
  }
  b.output(...graph.outputs.map(({ name }) => name));
  return b.build(graph.name);
}
