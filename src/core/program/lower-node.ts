import { appendComposed } from '../autodiff/compositions/append-composed.ts';
import { isUnusualLstm } from '../autodiff/compositions/lstm.ts';
import type { Target } from '../autodiff/rule.ts';
import { intAttribute } from '../onnx/attributes.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/model.ts';
import { lowerBatchNorm } from './lower-batch-norm.ts';

/** Adds a node of a Program as an engine runs it best in training; most go in as they are. */
export function lowerNode(b: GraphBuilder, node: Node, target: Target): void {
  if (node.domain !== '') b.node(node);
  else if (node.op === 'BatchNormalization' && intAttribute(node, 'training_mode', 0) === 1) {
    lowerBatchNorm(b, node, target);
  } else if (node.op === 'LayerNormalization') b.node(withStatistics(b, node));
  else if (target === 'ort-cuda' && (WITHOUT_CUDA.has(node.op) || isUnusualLstm(node)))
    appendComposed(b, node);
  else b.node(node);
}

/** Have no CUDA kernel; inside a Loop that would be a copy per node and step. */
const WITHOUT_CUDA: ReadonlySet<string> = new Set(['Col2Im', 'MaxUnpool']);

/** LayerNormalization that also gives mean and inverse deviation: the gradient then need not compute them again. */
function withStatistics(b: GraphBuilder, node: Node): Node {
  const [y, mean, inverse] = node.outputs;
  const name = (given: string | undefined, stem: string) => given || b.fresh(`${y}:${stem}`);
  return { ...node, outputs: [y!, name(mean, 'mean'), name(inverse, 'inverse')] };
}
