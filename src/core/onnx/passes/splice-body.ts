import type { Graph, Node } from '../model.ts';
import type { Tensor } from '../tensor.ts';
import { renameReads } from './graph-edit.ts';

/** What a body becomes in the graph around it. */
export interface Spliced {
  readonly nodes: readonly Node[];
  /** The values its outputs are, in order: made by these nodes, or values from around the body. */
  readonly outputs: readonly string[];
}

/**
 * The nodes of a body under names of their own, its inputs replaced by the values given for them. Its initializers go
 * to `stored`.
 */
export function spliceBody(
  body: Graph,
  given: readonly string[],
  stored: Map<string, Tensor>,
  fresh: (stem: string) => string,
): Spliced {
  const to = new Map(body.inputs.slice(0, given.length).map(({ name }, i) => [name, given[i]!]));
  for (const [name, value] of body.initializers) {
    to.set(name, fresh(name));
    stored.set(to.get(name)!, value);
  }
  for (const inner of body.nodes) {
    for (const name of inner.outputs) if (name !== '') to.set(name, fresh(name));
  }
  const named = (name: string): string => to.get(name) ?? name;
  // A body may be spliced more than once, and onnxruntime refuses two nodes of one name.
  const label = (inner: Node, outputs: readonly string[]): string =>
    inner.name && (outputs[0] === inner.outputs[0] ? inner.name : `${inner.name}:${outputs[0]}`);
  const nodes = body.nodes.map((inner): Node => {
    const outputs = inner.outputs.map(named);
    return { ...renameReads(inner, to), name: label(inner, outputs), outputs };
  });
  return { nodes, outputs: body.outputs.map(({ name }) => named(name)) };
}

/** Gives a value a second name. */
export const identity = (from: string, to: string): Node => ({
  op: 'Identity',
  domain: '',
  name: '',
  inputs: [from],
  outputs: [to],
  attributes: {},
});
