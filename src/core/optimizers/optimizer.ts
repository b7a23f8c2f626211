import type { Static, TObject } from 'typebox';
import type { GraphBuilder } from '../onnx/builder.ts';

/** What a Program says of its optimizer: a registry name and that entry's options. */
export interface OptimizerSpec {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** One parameter's update, seen by a rule that builds it as an ONNX subgraph. */
export interface UpdateContext {
  readonly b: GraphBuilder;
  readonly param: string;
  /** Gradient after clipping, same shape as `param`. */
  readonly grad: string;
  /** Current slot values by slot name; same shape as `param`. */
  readonly slots: Readonly<Record<string, string>>;
  /** Scalar value names: always `learning_rate` (multiplier applied) and `step` (1 at the first), and the entry's `scalars`. */
  readonly scalars: Readonly<Record<string, string>>;
  /** This parameter's weight decay, the optimizer's value times the parameter's multiplier. */
  readonly weightDecay: number;
}

export interface Optimizer<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
  /** Zero-initialised tensors kept per parameter. */
  slots(options: Static<S>): readonly string[];
  /** Scheduled scalars besides the learning rate, with the option that gives their constant value (e.g. momentum). */
  readonly scalars: Readonly<Record<string, string>>;
  /** Value names of the new parameter and the new slots. */
  build(
    context: UpdateContext,
    options: Static<S>,
  ): { readonly param: string; readonly slots: Readonly<Record<string, string>> };
  /** The slow obvious version on plain numbers, one step: the independent witness of `build`. */
  reference(state: ReferenceState, options: Static<S>): ReferenceState;
}

export interface ReferenceState {
  readonly param: readonly number[];
  readonly grad: readonly number[];
  readonly slots: Readonly<Record<string, readonly number[]>>;
  readonly scalars: Readonly<Record<string, number>>;
  readonly weightDecay: number;
}
