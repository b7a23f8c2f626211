import type { DType } from '../dtype.ts';
import type { Node, Shape } from '../model.ts';
import type { Tensor } from '../tensor.ts';

/** What is known of a value before anything runs. */
export interface ValueType {
  readonly dtype: DType | undefined;
  /** Undefined: not even the rank is known. */
  readonly shape: Shape | undefined;
  /** The value itself where it is a small known constant (shapes, axes, indices). */
  readonly constant?: Tensor;
}

export interface InferContext {
  readonly node: Node;
  /** Version of the node's operator set. */
  readonly opset: number;
  /** One per node input; undefined for an input that is left out. */
  readonly inputs: readonly (ValueType | undefined)[];
}

/** Everything the graph library knows of one operator. Adding an operator = one such value, one registry line. */
export interface OpDefinition {
  readonly op: string;
  readonly domain?: string;
  /**
   * Types of the outputs, one per declared output, with `constant` where all needed inputs are constant (folding).
   * Throws ONNX_SHAPE, naming the node, where input types contradict the operator.
   */
  infer(context: InferContext): readonly ValueType[];
  /** Multiply-accumulates of one run; undefined means none worth counting. */
  macs?(context: InferContext, outputs: readonly ValueType[]): number;
}
