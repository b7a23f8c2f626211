import { floatAttribute, intAttribute, stringAttribute, toAttribute } from '../../attributes.ts';
import type { Attribute, Node } from '../../model.ts';
import type { Rewriter } from '../rewriter.ts';
import { type Converter, dtypeOf, rankOf, unsupported, without } from './converter.ts';

/** Products that onnxruntime's optimizer and tf2onnx have fused with what stands around them (com.microsoft), apart again. */

/** alpha A B, the last two axes of either exchanged first where so asked. */
export const fusedMatMul: Converter = (node, r) => {
  for (const name of ['transBatchA', 'transBatchB']) {
    if (intAttribute(node, name, 0) !== 0) unsupported(node, r, `attribute ${name} has no counterpart`);
  }
  const turned = ['transA', 'transB'].map((name, i) => {
    const value = node.inputs[i]!;
    if (intAttribute(node, name, 0) === 0) return value;
    const rank = rankOf(node, r, i);
    if (rank < 2) return value;
    const axes = Array.from({ length: rank - 2 }, (_, axis) => axis);
    return r.op('Transpose', [value], { perm: [...axes, rank - 1, rank - 2] });
  });
  const alpha = floatAttribute(node, 'alpha', 1);
  if (alpha === 1) r.op('MatMul', turned, {}, node.outputs);
  else r.op('Mul', [r.op('MatMul', turned), r.scalar(dtypeOf(node, r), alpha)], {}, node.outputs);
  return true;
};

const asFloats = (attribute: Attribute | undefined): readonly number[] =>
  attribute?.type === 'floats' ? attribute.value : [];

/** Conv, plus input 3, then an activation. */
export const fusedConv: Converter = (node, r) => {
  const [x, w, bias, added] = node.inputs;
  const conv: Node = {
    op: 'Conv',
    domain: '',
    name: node.name,
    inputs: [x!, w!, ...(bias ? [bias] : [])],
    outputs: [r.fresh('conv')],
    attributes: without(node, 'activation', 'activation_params'),
  };
  r.emit(conv);
  const sum = added ? r.op('Add', [conv.outputs[0]!, added]) : conv.outputs[0]!;
  activate(node, r, sum, asFloats(node.attributes.activation_params));
  return true;
};

/** Gemm, then an activation. */
export const fusedGemm: Converter = (node, r) => {
  const names = ['activation_alpha', 'activation_beta', 'activation_gamma'];
  const params = names.filter((name) => node.attributes[name]).map((name) => floatAttribute(node, name, 0));
  const sum = r.fresh('gemm');
  const attributes = without(node, 'activation', ...names);
  r.emit({ ...node, op: 'Gemm', domain: '', outputs: [sum], attributes });
  activate(node, r, sum, params);
  return true;
};

/** The activations that are fused, with the attributes their parameters are. */
const activations: Readonly<Record<string, readonly string[]>> = {
  HardSigmoid: ['alpha', 'beta'],
  HardSwish: [],
  LeakyRelu: ['alpha'],
  Relu: [],
  Sigmoid: [],
  Tanh: [],
};

function activate(node: Node, r: Rewriter, value: string, params: readonly number[]): void {
  const op = stringAttribute(node, 'activation', '');
  if (op === '') r.op('Identity', [value], {}, node.outputs);
  else if (op === 'Clip') {
    const bounds = params.map((bound) => r.scalar(dtypeOf(node, r), bound));
    r.op('Clip', [value, ...bounds], {}, node.outputs);
  } else {
    const names = activations[op] ?? unsupported(node, r, `activation ${op} has no counterpart`);
    const given = names.slice(0, params.length).map((name, i) => [name, floatOf(params[i]!)] as const);
    r.op(op, [value], Object.fromEntries(given), node.outputs);
  }
}

const floatOf = (value: number): Attribute => toAttribute({ type: 'float', value });
