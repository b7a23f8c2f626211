import type { Target } from '../autodiff/rule.ts';
import { float, floatAttribute } from '../onnx/attributes.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/model.ts';

/**
 * BatchNormalization in training mode as an engine runs it best.
 * y = scale (x - mean) / sqrt(var + eps) + bias with the batch's mean and biased variance per channel, and
 * running.next = m running + (1 - m) batch. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 *
 * - `ort-cpu`: the operator with momentum 0, so that its running outputs are the statistics of the batch, which the
 *   gradient reuses. onnxruntime writes these outputs over inputs 3 and 4, even where those are fed from outside, so
 *   it gets tensors of its own; with momentum 0 their values do not matter. The running statistics are computed beside it.
 * - `ort-cuda`: reductions and arithmetic, because its kernel has no training mode.
 */
export function lowerBatchNorm(b: GraphBuilder, node: Node, target: Target): void {
  const statistics = target === 'ort-cuda' ? reduced(b, node) : fused(b, node);
  const kept = floatAttribute(node, 'momentum', 0.9);
  statistics.forEach((value, i) => {
    const output = node.outputs[i + 1];
    if (!output) return;
    const [old, fresh] = [
      b.op('Mul', [node.inputs[i + 3]!, b.constant(kept)]),
      b.op('Mul', [value, b.constant(1 - kept)]),
    ];
    b.op('Add', [old, fresh], {}, { outputs: [output] });
  });
}

/** A factor no other node uses, so that no optimizer finds two products equal and lets their buffers coincide. */
const unlike = (b: GraphBuilder): string => b.constant(2 + b.nodes.length);

/** One operator; returns its batch mean and variance. */
function fused(b: GraphBuilder, node: Node): [string, string] {
  const [x, scale, bias, ...running] = node.inputs as [string, string, string, string, string];
  const scratch = running.map((value) => b.op('Mul', [value, unlike(b)]));
  const statistics: [string, string] = [b.fresh('batchMean'), b.fresh('batchVariance')];
  b.node({
    ...node,
    inputs: [x, scale, bias, ...scratch],
    outputs: [node.outputs[0]!, ...statistics],
    attributes: { ...node.attributes, momentum: float(0) },
  });
  return statistics;
}

function reduced(b: GraphBuilder, node: Node): [string, string] {
  const [x, scale, bias] = node.inputs as [string, string, string];
  const dims = b.dims(x);
  const axes = b.ints(dims.map((_, i) => i).filter((i) => i !== 1));
  const perChannel = b.ints([dims[1]!, ...dims.slice(2).map(() => 1)]);
  const spread = (value: string) => b.op('Reshape', [value, perChannel]);
  const mean = b.op('ReduceMean', [x, axes], { keepdims: 0 });
  const centred = b.op('Sub', [x, spread(mean)]);
  const variance = b.op('ReduceMean', [b.op('Mul', [centred, centred]), axes], { keepdims: 0 });
  const epsilon = b.constant(floatAttribute(node, 'epsilon', 1e-5));
  const gain = b.op('Div', [scale, b.op('Sqrt', [b.op('Add', [variance, epsilon])])]);
  const scaled = b.op('Mul', [centred, spread(gain)]);
  b.op('Add', [scaled, spread(bias)], {}, { outputs: [node.outputs[0]!], name: node.name });
  return [mean, variance];
}
