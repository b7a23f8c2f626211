import { intAttribute } from '../attributes.ts';
import { type DType, isFloat } from '../dtype.ts';
import type { Dim } from '../model.ts';
import { broadcastInputs, elementsOf, sharedDtype } from './context.ts';
import { define, fed, ints, sample, stored } from './define.ts';
import { elementsType, elementwise } from './fold.ts';
import type { InferContext, OpDefinition, ValueType } from './op.ts';

/** Elementwise operators of two or more tensors with numpy broadcasting. */

type Compute = (a: number, b: number) => number;

const powers: Compute = (a, b) => a ** b;

/** Integer division truncates toward zero (ONNX leaves it to C). */
function arithmetic(op: string, dtype: DType | undefined, c: InferContext): Compute | undefined {
  const float = isFloat(dtype);
  switch (op) {
    case 'Add':
    case 'Sum':
      return (a, b) => a + b;
    case 'Sub':
      return (a, b) => a - b;
    case 'Mul':
      return (a, b) => a * b;
    case 'Div':
      return float ? (a, b) => a / b : (a, b) => Math.trunc(a / b);
    case 'Min':
      return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.min(a, b));
    case 'Max':
      return (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b));
    case 'Mod':
      return float || intAttribute(c.node, 'fmod', 0) === 1
        ? (a, b) => a % b
        : (a, b) => a - b * Math.floor(a / b);
    case 'Pow':
      return float ? undefined : powers;
    default:
      return undefined;
  }
}

/** Neutral elements let a symbolic dimension pass: N + 0, N * 1, N / 1. */
function symbolic(op: string, a: Dim, b: Dim, compute: Compute): Dim {
  if (typeof a === 'number' && typeof b === 'number') return compute(a, b);
  if ((op === 'Add' || op === 'Sub') && b === 0) return a;
  if (op === 'Add' && a === 0) return b;
  if ((op === 'Mul' || op === 'Div') && b === 1) return a;
  if (op === 'Mul' && a === 1) return b;
  if (op === 'Mul' && (a === 0 || b === 0)) return 0;
  return '';
}

function inElements(c: InferContext, base: ValueType, op: string, compute: Compute): ValueType | undefined {
  const [a, b] = c.inputs.map(elementsOf);
  if (!a || !b || c.inputs.length !== 2 || isFloat(base.dtype)) return undefined;
  const length = Math.max(a.length, b.length);
  const at = (list: readonly Dim[], i: number): Dim => list[list.length === 1 ? 0 : i]!;
  const elements = Array.from({ length }, (_, i) => symbolic(op, at(a, i), at(b, i), compute));
  if (elements.some((e) => typeof e === 'number' && !Number.isFinite(e))) return undefined;
  return elementsType(base.dtype, base.shape, elements);
}

function inferArithmetic(c: InferContext): ValueType[] {
  const all = c.inputs.map((_, i) => i);
  // Pow alone may mix types: the result has the base's.
  const dtype = c.node.op === 'Pow' ? c.inputs[0]?.dtype : sharedDtype(c, all);
  const base: ValueType = { dtype, shape: broadcastInputs(c, all) };
  const compute = arithmetic(c.node.op, dtype, c);
  if (!compute) return [base];
  // Two float operands keep float32 rounding per step; longer Sums are left to the engine.
  const folds = c.inputs.length <= 2 || !isFloat(dtype);
  const known =
    folds && elementwise(c.inputs, dtype, (first, ...rest) => rest.reduce((a, b) => compute(a, b), first!));
  return [known || (inElements(c, base, c.node.op, compute) ?? base)];
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  And: (a, b) => a !== 0 && b !== 0,
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
  Or: (a, b) => a !== 0 || b !== 0,
  Xor: (a, b) => (a !== 0) !== (b !== 0),
};

/** Equal of a dimension and a negative number is false whatever the dimension is (the -1 test of Expand exports). */
function symbolicEqual(c: InferContext): ValueType | undefined {
  const [a, b] = c.inputs.map(elementsOf);
  if (c.node.op !== 'Equal' || !a || !b || a.length !== b.length) return undefined;
  const values = a.map((x, i) => {
    const y = b[i]!;
    if (typeof x === 'number' && typeof y === 'number') return Number(x === y);
    return (typeof x === 'number' && x < 0) || (typeof y === 'number' && y < 0) ? 0 : '';
  });
  if (!values.every((v) => typeof v === 'number')) return undefined;
  return elementsType('bool', [values.length], values);
}

function inferComparison(c: InferContext): ValueType[] {
  sharedDtype(c, [0, 1]);
  const test = comparisons[c.node.op]!;
  const known = elementwise(c.inputs, 'bool', (a, b) => Number(test(a!, b!)));
  return [known ?? symbolicEqual(c) ?? { dtype: 'bool', shape: broadcastInputs(c, [0, 1]) }];
}

/** BitShift and the bitwise operators fold for nobody: they do not occur in shape arithmetic. */
const inferPlain = (c: InferContext): ValueType[] => {
  return [{ dtype: sharedDtype(c, [0, 1]), shape: broadcastInputs(c, [0, 1]) }];
};

const samples = {
  Add: [
    sample([
      [2, 3, 4],
      [3, 1],
    ]),
    sample([ints(-7, 5), ints(2)]),
  ],
  Div: [
    sample([
      [2, 3, 4],
      [3, 1],
    ]),
    sample([ints(-7, 5), ints(2)]),
  ],
  Mul: [
    sample([
      [2, 3, 4],
      [3, 1],
    ]),
    sample([ints(-7, 5), ints(2)]),
  ],
  Sub: [
    sample([
      [2, 3, 4],
      [3, 1],
    ]),
    sample([ints(-7, 5), ints(2)]),
  ],
  Max: [sample([[2, 3, 4], [3, 1], [4]])],
  Mean: [sample([[2, 3, 4], [3, 1], [4]])],
  Min: [sample([[2, 3, 4], [3, 1], [4]])],
  Sum: [sample([[2, 3, 4], [3, 1], [4]])],
  Mod: [
    sample([[2, 3], [3]], { fmod: 1 }),
    sample([ints(-7, 5), ints(3)]),
    sample([ints(-7, 5), ints(3)], { fmod: 1 }),
  ],
  Pow: [sample([[2, 3], [3]]), sample([ints(2, 3), ints(3)])],
  And: [
    sample([fed('bool', [2, 3]), fed('bool', [3])]),
    sample([stored('bool', [2], [1, 0]), stored('bool', [1], [1])]),
  ],
  Or: [
    sample([fed('bool', [2, 3]), fed('bool', [3])]),
    sample([stored('bool', [2], [1, 0]), stored('bool', [1], [1])]),
  ],
  Xor: [
    sample([fed('bool', [2, 3]), fed('bool', [3])]),
    sample([stored('bool', [2], [1, 0]), stored('bool', [1], [1])]),
  ],
  Equal: [sample([[2, 3], [3]]), sample([ints(1, 2, 3), ints(2)])],
  Greater: [sample([[2, 3], [3]]), sample([ints(1, 2, 3), ints(2)])],
  GreaterOrEqual: [sample([[2, 3], [3]]), sample([ints(1, 2, 3), ints(2)])],
  Less: [sample([[2, 3], [3]]), sample([ints(1, 2, 3), ints(2)])],
  LessOrEqual: [sample([[2, 3], [3]]), sample([ints(1, 2, 3), ints(2)])],
  BitShift: [sample([fed('uint8', [2, 3]), fed('uint8', [3])], { direction: 'LEFT' })],
  BitwiseAnd: [sample([fed('int64', [2, 3]), fed('int64', [3])])],
  BitwiseOr: [sample([fed('int64', [2, 3]), fed('int64', [3])])],
  BitwiseXor: [sample([fed('int64', [2, 3]), fed('int64', [3])])],
  PRelu: [
    sample([
      [2, 3, 4],
      [3, 1],
    ]),
  ],
};

export const binary = define(
  [
    ...['Add', 'Div', 'Max', 'Mean', 'Min', 'Mod', 'Mul', 'Pow', 'Sub', 'Sum'].map(
      (op): OpDefinition => ({ op, infer: inferArithmetic }),
    ),
    ...Object.keys(comparisons).map((op): OpDefinition => ({ op, infer: inferComparison })),
    ...['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'PRelu'].map(
      (op): OpDefinition => ({ op, infer: inferPlain }),
    ),
  ],
  samples,
);
