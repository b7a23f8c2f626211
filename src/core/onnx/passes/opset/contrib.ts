import { floatAttribute } from '../../attributes.ts';
import type { Rewriter } from '../rewriter.ts';
import { type Converter, dtypeOf, rankOf } from './converter.ts';
import { rmsNormalization } from './normalization.ts';

/** What onnxruntime's own optimizer writes (com.microsoft), in plain operators again. */

const sum = (r: Rewriter, ...values: readonly (string | undefined)[]): string =>
  values.filter((value): value is string => Boolean(value)).reduce((a, b) => r.op('Add', [a, b]));

/** x/2 (1 + erf(x / sqrt 2)), of x or of x + bias. */
export const gelu: Converter = (node, r) => {
  const x = sum(r, node.inputs[0], node.inputs[1]);
  const scalar = (value: number): string => r.scalar(dtypeOf(node, r), value);
  const inner = r.op('Erf', [r.op('Div', [x, scalar(Math.SQRT2)])]);
  r.op('Mul', [r.op('Mul', [x, scalar(0.5)]), r.op('Add', [inner, scalar(1)])], {}, node.outputs);
  return true;
};

/** x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), of x or of x + bias. */
export const fastGelu: Converter = (node, r) => {
  const x = sum(r, node.inputs[0], node.inputs[1]);
  const scalar = (value: number): string => r.scalar(dtypeOf(node, r), value);
  const cube = r.op('Mul', [r.op('Mul', [r.op('Mul', [x, x]), x]), scalar(0.044715)]);
  const inner = r.op('Tanh', [r.op('Mul', [r.op('Add', [x, cube]), scalar(Math.sqrt(2 / Math.PI))])]);
  r.op('Mul', [r.op('Mul', [x, scalar(0.5)]), r.op('Add', [inner, scalar(1)])], {}, node.outputs);
  return true;
};

/** x sigmoid(alpha x). */
export const quickGelu: Converter = (node, r) => {
  const x = node.inputs[0]!;
  const alpha = r.scalar(dtypeOf(node, r), floatAttribute(node, 'alpha', 1.702));
  r.op('Mul', [x, r.op('Sigmoid', [r.op('Mul', [x, alpha])])], {}, node.outputs);
  return true;
};

/** Layer normalisation of x + skip + bias; output 3 is that sum. */
export const skipLayerNormalization: Converter = (node, r) => {
  const [x, skip, scale, shift, bias] = node.inputs;
  const whole = sum(r, x, skip, bias);
  const epsilon = { type: 'float', value: floatAttribute(node, 'epsilon', 1e-12) } as const;
  const inputs = [whole, scale!, ...(shift ? [shift] : [])];
  r.op('LayerNormalization', inputs, { axis: -1, epsilon }, node.outputs.slice(0, 3));
  if (node.outputs[3]) r.op('Identity', [whole], {}, [node.outputs[3]]);
  return true;
};

/** The same without a mean: x / sqrt(mean(x^2) + epsilon). */
export const skipRmsNormalization: Converter = (node, r) => {
  const [x, skip, scale, bias] = node.inputs;
  const whole = sum(r, x, skip, bias);
  const axes = r.ints([rankOf(node, r) - 1]);
  const epsilon = r.scalar(dtypeOf(node, r), floatAttribute(node, 'epsilon', 1e-5));
  const mean = r.op('ReduceMean', [r.op('Mul', [whole, whole]), axes], { keepdims: 1 });
  const root = r.op('Sqrt', [r.op('Add', [mean, epsilon])]);
  r.op('Mul', [r.op('Div', [whole, root]), scale!], {}, node.outputs.slice(0, 1));
  if (node.outputs[3]) r.op('Identity', [whole], {}, [node.outputs[3]]);
  return true;
};

/** SimplifiedLayerNormalization is RMSNormalization under an older name. */
export const simplifiedLayerNormalization: Converter = (node, r) =>
  rmsNormalization({ ...node, outputs: node.outputs.slice(0, 1) }, r);
