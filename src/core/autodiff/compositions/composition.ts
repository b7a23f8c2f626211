import type { GraphBuilder } from '../../onnx/builder.ts';
import { inferNode } from '../../onnx/infer-node.ts';
import type { Node } from '../../onnx/model.ts';

/**
 * What an operator computes, written in others that have gradient rules: adds them to `b` and returns the values of the
 * node's outputs, in order. Reads the node's inputs and attributes, never its outputs, which need not be there. Static shapes.
 */
export type Composition = (b: GraphBuilder, node: Node) => readonly string[];

/** The shape that the first output of a node has or would have. */
export function outputDims(b: GraphBuilder, node: Node): readonly number[] {
  const inputs = node.inputs.map((name) => (name === '' ? undefined : b.type(name)));
  return inferNode(node, inputs, b.opsets['']!)[0]!.shape as readonly number[];
}
