import { float, floats } from '../attributes.ts';
import { dtypeOf, plainType, shapeOf } from './context.ts';
import { define, fed, sample, stored } from './define.ts';
import { elementwise } from './fold.ts';
import type { InferContext, OpDefinition } from './op.ts';

/**
 * Elementwise operators of one tensor: the output has the input's type. Those whose result is exactly rounded fold;
 * transcendental ones do not (engines differ in the last bit).
 */

const roundEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return rounded === 0 && x < 0 ? -0 : rounded;
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

/** Where rounding modes differ. */
const halves = stored('float32', [7], [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5]);

const samples = {
  ...Object.fromEntries(names.map((op) => [op, [sample([[2, 3]])]])),
  ...Object.fromEntries(Object.keys(exact).map((op) => [op, [sample([[2, 3]]), sample([halves])]])),
  LRN: [sample([[1, 4, 3, 3]], { size: 3 })],
  ImageScaler: [sample([[1, 2, 3, 3]], { scale: float(2), bias: floats([1, 2]) }, { opset: 7 })],
  BitwiseNot: [sample([fed('int64', [2, 3])])],
  Gelu: [sample([[2, 3]], {}, { opset: 20 })],
  Swish: [sample([[2, 3]], {}, { opset: 24 })],
  MeanVarianceNormalization: [sample([[1, 2, 3, 3]])],
  Not: [sample([fed('bool', [2, 3])]), sample([stored('bool', [2], [1, 0])])],
  IsNaN: [sample([[2, 3]])],
  BiasGelu: [sample([[2, 3], [3]])],
  FastGelu: [sample([[2, 3]])],
  QuickGelu: [sample([[2, 3]])],
  IsInf: [sample([[2, 3]])],
};

export const unary = define(
  [
    ...names.map((op): OpDefinition => ({ op, infer })),
    ...['BiasGelu', 'FastGelu', 'Gelu', 'QuickGelu'].map(
      (op): OpDefinition => ({ op, domain: 'com.microsoft', infer }),
    ),
    boolean('IsNaN', Number.isNaN),
    boolean('Not', (x) => x === 0),
    isInf,
  ],
  samples,
);
