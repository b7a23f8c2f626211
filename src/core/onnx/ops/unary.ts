import { dtypeOf, plainType, shapeOf } from './context.ts';
import { elementwise } from './fold.ts';
import type { InferContext, OpDefinition } from './op.ts';

/**
 * Elementwise operators of one tensor: the output has the input's type. Those whose result is exactly rounded fold;
 * transcendental ones do not (engines differ in the last bit).
 */

const roundEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
};

const exact: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Floor: Math.floor,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Round: roundEven,
  Sign: Math.sign,
  Sqrt: Math.sqrt,
};

const names = [
  ...['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'BitwiseNot', 'Ceil', 'Celu', 'Cos', 'Cosh'],
  ...['Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Hardmax', 'LRN', 'LeakyRelu', 'Log'],
  ...['LogSoftmax', 'LpNormalization', 'MeanVarianceNormalization', 'Mish', 'Neg', 'Reciprocal', 'Relu'],
  ...['Round', 'Selu', 'Shrink', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softmax', 'Softplus', 'Softsign', 'Sqrt'],
  ...['Swish', 'Tan', 'Tanh', 'ThresholdedRelu', 'ImageScaler'],
];

const infer = (c: InferContext) => {
  const compute = exact[c.node.op];
  const known = compute && elementwise([c.inputs[0]], dtypeOf(c, 0), compute);
  return [known ?? plainType(c, 0)];
};

const boolean = (op: string, test: (x: number) => boolean): OpDefinition => ({
  op,
  infer: (c) => [
    elementwise([c.inputs[0]], 'bool', (x) => Number(test(x))) ?? {
      dtype: 'bool',
      shape: c.inputs[0]?.shape,
    },
  ],
});

/** Not folded: it depends on detect_positive and detect_negative, and nothing asks for it. */
const isInf: OpDefinition = { op: 'IsInf', infer: (c) => [{ dtype: 'bool', shape: shapeOf(c, 0) }] };

export const unary: readonly OpDefinition[] = [
  ...names.map((op): OpDefinition => ({ op, infer })),
  ...['BiasGelu', 'FastGelu', 'Gelu', 'QuickGelu'].map(
    (op): OpDefinition => ({ op, domain: 'com.microsoft', infer }),
  ),
  boolean('IsNaN', Number.isNaN),
  boolean('Not', (x) => x === 0),
  isInf,
];
