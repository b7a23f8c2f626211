import type { Static, TObject } from 'typebox';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { EntrySpec } from '../options.ts';

/** What a Program says of its optimizer: a registry name and that entry's options (`learningRate` is always one). */
export type OptimizerSpec = EntrySpec;

/** One update, seen by a rule that builds it as an ONNX subgraph. All tensors have one shape; all scalars shape []. */
export interface UpdateContext {
  readonly b: GraphBuilder;
  readonly param: string;
  /** Gradient after clipping. */
  readonly grad: string;
  /** Current slot values by slot name. */
  readonly slots: Readonly<Record<string, string>>;
  /** Scalar value names: `learning_rate` (the parameter's multiplier applied), the entry's `scalars` and `derived`. */
  readonly scalars: Readonly<Record<string, string>>;
  /** This parameter's weight decay, the optimizer's value times the parameter's multiplier. */
  readonly weightDecay: number;
}

export interface Updated {
  readonly param: string;
  readonly slots: Readonly<Record<string, string>>;
}

/**
 * One optimizer: elementwise, so that a kernel may update parameters singly or laid end to end.
 * Adding one = one such file and one registry line.
 */
export interface Optimizer<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly citation: string;
  readonly formula: string;
  /** Always has `learningRate` and `weightDecay`. */
  readonly options: S;
  /** Zero-initialised tensors kept per parameter. */
  readonly slots: readonly string[];
  /** Scheduled scalars besides the learning rate, with the option that gives their constant value. */
  readonly scalars: Readonly<Record<string, string>>;
  /** Scalars a kernel works out in double precision for each step (bias corrections). `step` is 1 at the first. */
  derive?(
    step: number,
    scalars: Readonly<Record<string, number>>,
    options: Static<S>,
  ): Record<string, number>;
  /** Value names of the new parameter and the new slots. */
  build(context: UpdateContext, options: Static<S>): Updated;
  /** The slow obvious version on plain numbers, one step: the independent witness of `build`. */
  reference(state: ReferenceState, options: Static<S>): ReferenceState;
}

export interface ReferenceState {
  readonly param: readonly number[];
  readonly grad: readonly number[];
  readonly slots: Readonly<Record<string, readonly number[]>>;
  /** `learning_rate`, `step` (1 at the first) and the entry's `scalars`. */
  readonly scalars: Readonly<Record<string, number>>;
  readonly weightDecay: number;
}

/** Elementwise arithmetic on value names, for update rules that read like their formula. */
export const arithmetic = (b: GraphBuilder) => {
  const value = (x: string | number) => (typeof x === 'number' ? b.constant(x) : x);
  const binary = (op: string) => (x: string | number, y: string | number) => b.op(op, [value(x), value(y)]);
  return {
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('Div'),
    sqrt: (x: string) => b.op('Sqrt', [x]),
  };
};
