import type { GraphBuilder } from '../../onnx/builder.ts';
import { type DType, dtypes } from '../../onnx/dtype.ts';

/** A value by name, or a number that becomes a scalar constant. */
export type Operand = string | number;

const binary = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
  min: 'Min',
  max: 'Max',
  equal: 'Equal',
  greater: 'Greater',
  greaterOrEqual: 'GreaterOrEqual',
  less: 'Less',
  lessOrEqual: 'LessOrEqual',
} as const;

const unary = {
  neg: 'Neg',
  abs: 'Abs',
  sign: 'Sign',
  floor: 'Floor',
  round: 'Round',
  sqrt: 'Sqrt',
  reciprocal: 'Reciprocal',
  exp: 'Exp',
  log: 'Log',
  sin: 'Sin',
  cos: 'Cos',
  sinh: 'Sinh',
  cosh: 'Cosh',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  softplus: 'Softplus',
  not: 'Not',
} as const;

export type Arithmetic = Readonly<
  Record<keyof typeof binary, (a: Operand, b: Operand) => string> &
    Record<keyof typeof unary, (a: Operand) => string>
> & {
  /** A scalar constant of the working element type. */
  number(value: number): string;
  /** 1 where the condition holds, 0 elsewhere. */
  mask(condition: string): string;
  where(condition: string, a: Operand, b: Operand): string;
  and(a: string, b: string): string;
  cast(value: string, to?: DType): string;
};

/** Elementwise formulas as graph nodes: `m.mul(dy, m.cos(x))`. Numbers are constants of type `dtype`. */
export function arithmetic(b: GraphBuilder, dtype: DType): Arithmetic {
  const number = (value: number): string => b.constant(value, dtype);
  const name = (operand: Operand): string => (typeof operand === 'number' ? number(operand) : operand);
  const cast = (value: string, to: DType = dtype): string =>
    b.type(value).dtype === to ? value : b.op('Cast', [value], { to: dtypes[to].code });
  const two = (op: string) => (p: Operand, q: Operand) => b.op(op, [name(p), name(q)]);
  const one = (op: string) => (p: Operand) => b.op(op, [name(p)]);
  return {
    ...mapValues(binary, two),
    ...mapValues(unary, one),
    number,
    cast,
    mask: cast,
    where: (condition, p, q) => b.op('Where', [condition, name(p), name(q)]),
    and: (p, q) => b.op('And', [p, q]),
  };
}

function mapValues<K extends string, V>(table: Readonly<Record<K, string>>, make: (op: string) => V) {
  return Object.fromEntries(Object.entries<string>(table).map(([key, op]) => [key, make(op)])) as Record<
    K,
    V
  >;
}
