import type { Node } from './model.ts';
import { ops } from './ops/index.ts';
import type { InferContext, ValueType } from './ops/op.ts';

const unknown: ValueType = { dtype: undefined, shape: undefined };

/** Output types of one node; outputs of an operator we do not know are unknown, never guessed. */
export function inferNode(
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  opset: number,
  body?: InferContext['body'],
): ValueType[] {
  const definition = ops.get(`${node.domain}/${node.op}`);
  const types = definition?.infer({ node, inputs, opset, ...(body ? { body } : {}) }) ?? [];
  return node.outputs.map((_, i) => types[i] ?? unknown);
}
