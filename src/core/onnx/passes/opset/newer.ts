import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../../attributes.ts';
import { dtypes } from '../../dtype.ts';
import { constantValue } from '../../ops/constant.ts';
import { type Converter, dtypeOf, rankOf, unsupported, without } from './converter.ts';
import { dilatedAverage } from './dilated-average.ts';
import { pool } from './windows.ts';

/** Operators written in those of opset 18: newer ones, experimental ones, and Constant nodes. */

/** Every stored value is an initializer: one kind of constant for all that follows. */
export const constant: Converter = (node, r) => {
  const value = constantValue(node) ?? unsupported(node, r, 'sparse constants cannot be handled');
  r.keep(node.outputs[0]!, value);
  return true;
};

/** CastLike takes its type from a value; the type is known here. */
export const castLike: Converter = (node, r) => {
  const dtype = dtypeOf(node, r, 1);
  r.emit({
    ...node,
    op: 'Cast',
    inputs: [node.inputs[0]!],
    attributes: { to: { type: 'int', value: BigInt(dtypes[dtype].code) } },
  });
  return true;
};

/** The `saturate` (19) and `round_mode` (24) attributes matter for 8-bit floats only. */
export const cast: Converter = (node, r) => {
  if (!node.attributes.saturate && !node.attributes.round_mode) return false;
  r.emit({ ...node, attributes: without(node, 'saturate', 'round_mode') });
  return true;
};

/** Gelu (20): x/2 (1 + erf(x / sqrt 2)), or with tanh(sqrt(2/pi) (x + 0.044715 x^3)) in place of erf. */
export const gelu: Converter = (node, r) => {
  const x = node.inputs[0]!;
  const dtype = dtypeOf(node, r);
  const scalar = (value: number): string => r.scalar(dtype, value);
  const half = r.op('Mul', [x, scalar(0.5)]);
  let inner: string;
  if (stringAttribute(node, 'approximate', 'none') === 'tanh') {
    const cube = r.op('Mul', [r.op('Mul', [x, x]), x]);
    const sum = r.op('Add', [x, r.op('Mul', [cube, scalar(0.044715)])]);
    inner = r.op('Tanh', [r.op('Mul', [sum, scalar(Math.sqrt(2 / Math.PI))])]);
  } else {
    inner = r.op('Erf', [r.op('Div', [x, scalar(Math.SQRT2)])]);
  }
  r.op('Mul', [half, r.op('Add', [inner, scalar(1)])], {}, node.outputs);
  return true;
};

/** Swish (24): x sigmoid(alpha x). */
export const swish: Converter = (node, r) => {
  const x = node.inputs[0]!;
  const alpha = floatAttribute(node, 'alpha', 1);
  const scaled = alpha === 1 ? x : r.op('Mul', [x, r.scalar(dtypeOf(node, r), alpha)]);
  r.op('Mul', [x, r.op('Sigmoid', [scaled])], {}, node.outputs);
  return true;
};

/** ImageScaler (experimental, removed at 10): x * scale + bias per channel of [N, C, H, W]. */
export const imageScaler: Converter = (node, r) => {
  const dtype = dtypeOf(node, r);
  const bias = node.attributes.bias?.type === 'floats' ? node.attributes.bias.value : [];
  const scaled = r.op('Mul', [node.inputs[0]!, r.scalar(dtype, floatAttribute(node, 'scale', 1))]);
  r.op('Add', [scaled, r.constant(dtype, [bias.length, 1, 1], bias)], {}, node.outputs);
  return true;
};

/** GridSample renamed its modes at 20, and takes volumes since. */
export const gridSample: Converter = (node, r) => {
  const mode = stringAttribute(node, 'mode', r.opset >= 20 ? 'linear' : 'bilinear');
  const old = { linear: 'bilinear', cubic: 'bicubic' }[mode];
  if (r.opset >= 20 && rankOf(node, r) > 4) unsupported(node, r, 'opset 18 samples no volumes');
  if (r.opset < 20 || !old) return false;
  const value = new TextEncoder().encode(old);
  r.emit({ ...node, attributes: { ...node.attributes, mode: { type: 'string', value } } });
  return true;
};

/** AveragePool got dilations at 19. */
export const averagePool: Converter = (node, r) => {
  const dilations = intsAttribute(node, 'dilations');
  if (!dilations) return pool(node, r);
  if (dilations.some((d) => d !== 1)) return dilatedAverage(node, r);
  const plain = { ...node, attributes: without(node, 'dilations') };
  if (!pool(plain, r)) r.emit(plain);
  return true;
};

/** Reshape's, Shape's and others' newer versions only add element types. Block-wise quantisation does more. */
export const quantize: Converter = (node, r) => {
  const block = intAttribute(node, 'block_size', 0);
  if (block !== 0) unsupported(node, r, 'block-wise quantisation does not exist at opset 18');
  if (!node.attributes.block_size && !node.attributes.output_dtype && !node.attributes.precision)
    return false;
  if (intAttribute(node, 'output_dtype', 0) !== 0)
    unsupported(node, r, 'output_dtype does not exist at opset 18');
  r.emit({ ...node, attributes: without(node, 'block_size', 'output_dtype', 'precision', 'saturate') });
  return true;
};

/** Came after 18 and is not written in older operators here. */
export const tooNew: Converter = (node, r) =>
  unsupported(node, r, 'it does not exist at opset 18 and has no conversion');
