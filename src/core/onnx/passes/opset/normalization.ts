import { floatAttribute, intAttribute } from '../../attributes.ts';
import { type Converter, dtypeOf, rankOf, unsupported, without } from './converter.ts';

/** Normalisations that changed between versions, or came after 18. */

/** Before 14 training was told by the number of outputs; the saved statistics are gone since. */
export const batchNormalization: Converter = (node, r) => {
  if (r.opset >= 14) return false;
  if (intAttribute(node, 'spatial', 1) === 0) unsupported(node, r, 'spatial = 0 has no counterpart');
  const training = node.outputs.slice(1).some((name) => name !== '');
  const attributes = without(node, 'spatial', 'consumed_inputs', 'is_test');
  r.emit({
    ...node,
    outputs: node.outputs.slice(0, training ? 3 : 1),
    attributes: training ? { ...attributes, training_mode: { type: 'int', value: 1n } } : attributes,
  });
  return true;
};

/**
 * GroupNormalization as instance normalisation of [N, groups, -1], then scale and bias. Since 21 these are per channel [C];
 * at 18 they were per group, which onnxruntime runs as such too.
 */
export const groupNormalization: Converter = (node, r) => {
  const [x, scale, bias] = node.inputs as [string, string, string];
  const dtype = dtypeOf(node, r);
  const rank = rankOf(node, r);
  const groups = intAttribute(node, 'num_groups') ?? unsupported(node, r, 'num_groups is missing');
  const epsilon = { type: 'float', value: floatAttribute(node, 'epsilon', 1e-5) } as const;
  const grouped = r.op('Reshape', [x, r.ints([0, groups, -1])]);
  const ones = r.constant(dtype, [groups], new Array<number>(groups).fill(1));
  const zeros = r.constant(dtype, [groups], new Array<number>(groups).fill(0));
  const perGroup = r.opset < 21;
  const weights = perGroup ? [scale, bias] : [ones, zeros];
  const normal = r.op('InstanceNormalization', [grouped, ...weights], { epsilon });
  const shape = r.op('Shape', [x]);
  if (perGroup) {
    r.op('Reshape', [normal, shape], {}, node.outputs);
    return true;
  }
  const back = r.op('Reshape', [normal, shape]);
  const channel = r.ints([-1, ...new Array<number>(rank - 2).fill(1)]);
  const scaled = r.op('Mul', [back, r.op('Reshape', [scale, channel])]);
  r.op('Add', [scaled, r.op('Reshape', [bias, channel])], {}, node.outputs);
  return true;
};

/** RMSNormalization (23): x / sqrt(mean(x^2) + epsilon) * scale over the axes from `axis` on. */
export const rmsNormalization: Converter = (node, r) => {
  const [x, scale] = node.inputs as [string, string];
  const rank = rankOf(node, r);
  const axis = intAttribute(node, 'axis', -1);
  const first = axis < 0 ? axis + rank : axis;
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const square = r.op('Mul', [x, x]);
  const mean = r.op('ReduceMean', [square, r.ints(axes)], { keepdims: 1 });
  const epsilon = r.scalar(dtypeOf(node, r), floatAttribute(node, 'epsilon', 1e-5));
  const root = r.op('Sqrt', [r.op('Add', [mean, epsilon])]);
  r.op('Mul', [r.op('Div', [x, root]), scale], {}, node.outputs);
  return true;
};
