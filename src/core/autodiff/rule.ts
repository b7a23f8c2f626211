import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Composition } from './compositions/composition.ts';

/** For which engine formulations are chosen; a matter of speed, never of value. (tfjs has its own tape.) */
export type Target = 'ort-cpu' | 'ort-cuda';

/**
 * What a gradient rule sees. All graphs here are at opset 18, default domain, static shapes.
 * Vocabulary: x(i) inputs, y(i) outputs, dy(i) cotangents of outputs.
 */
export interface RuleContext {
  readonly node: Node;
  readonly b: GraphBuilder;
  readonly target: Target;
  x(i: number): string;
  /** Whether optional input i is given. */
  hasX(i: number): boolean;
  y(i: number): string;
  /** Cotangent of output i; a zero tensor where nothing asked for it. */
  dy(i: number): string;
  hasDy(i: number): boolean;
  /** Whether the gradient for input i is wanted (skip the work otherwise). */
  wants(i: number): boolean;
  /** The gradients by the inputs where the operator is written in others: those of its composition. */
  through(composition: Composition): readonly (string | undefined)[];
  /** The value of a constant input (axes, pads), or GRAD_MISSING_RULE naming the node if it is not constant. */
  constant(i: number): Tensor;
}

/**
 * The reverse-mode rule of one operator. `backward` returns one entry per node input: the name of the gradient (of the
 * broadcast shape or of the input's own; un-broadcasting and accumulation happen in the walk), or undefined for zero.
 * Rules emit default-domain operators only, and only such as have a rule or a declared stop themselves.
 */
export interface GradientRule {
  readonly op: string;
  /** Inputs that may carry gradient. Others (indices, shapes, masks) must not be asked: GRAD_FORBIDDEN. */
  readonly differentiable: 'all' | readonly number[];
  backward(context: RuleContext): readonly (string | undefined)[];
  /** Evidence: cases for finite differences. */
  readonly samples: readonly RuleSample[];
}

/** An operator whose outputs carry no gradient by design (Shape, Equal, ArgMax, ...). */
export interface GradientStop {
  readonly op: string;
  readonly stop: true;
  readonly reason: string;
}

export interface RuleSample {
  readonly name: string;
  readonly inputs: readonly SampleInput[];
  readonly attributes?: Readonly<Record<string, import('../onnx/attributes.ts').AttributeInput>>;
  readonly outputs?: number;
}

export type SampleInput =
  /** A random differentiable or plain float input; values are kept `away` from the listed kinks. */
  | {
      readonly shape: readonly number[];
      readonly range?: readonly [number, number];
      readonly away?: readonly number[];
      /** Values are far apart from each other, so that no perturbation changes which is largest. */
      readonly distinct?: boolean;
    }
  /** A constant integer, bool or float input, never perturbed. */
  | {
      readonly constant: readonly number[];
      readonly shape?: readonly number[];
      readonly dtype?: 'int64' | 'float32' | 'bool';
    }
  | 'omitted';
