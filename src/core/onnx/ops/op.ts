import type { AttributeInput } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import type { Dim, Graph, Node, Shape } from '../model.ts';
import type { Tensor } from '../tensor.ts';

/** What is known of a value before anything runs. */
export interface ValueType {
  readonly dtype: DType | undefined;
  /** Undefined: not even the rank is known. */
  readonly shape: Shape | undefined;
  /** The value itself where it is a small known constant (shapes, axes, indices). */
  readonly constant?: Tensor;
  /**
   * The present value of a small float initializer. It may be a trained parameter, so it is never folded; operators read
   * it only where they need a setting (the scales of Resize).
   */
  readonly setting?: Tensor;
  /** Elements of a small integer vector or scalar as far as they are known: shapes with symbolic dimensions. */
  readonly elements?: readonly Dim[];
  /** Element types of a sequence of known length. */
  readonly sequence?: readonly ValueType[];
}

export interface InferContext {
  readonly node: Node;
  /** Version of the node's operator set. */
  readonly opset: number;
  /** One per node input; undefined for an input that is left out. */
  readonly inputs: readonly (ValueType | undefined)[];
  /** Infers the outputs of a body graph (If, Loop, Scan) for these input types, seeing the values around the node. */
  readonly body?: (graph: Graph, inputs: readonly ValueType[]) => readonly ValueType[];
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
  /** Evidence: one-node graphs whose inferred types and folded values are compared with the runtime's. */
  readonly samples?: readonly OpSample[];
}

export interface OpSample {
  readonly inputs: readonly SampleValue[];
  readonly attributes: Readonly<Record<string, AttributeInput>>;
  /** Default 1. */
  readonly outputs?: number;
  /** Default 18. */
  readonly opset?: number;
}

/** The dimensions of a fed float32 tensor, any other tensor, or '' for an input left out. */
export type SampleValue = readonly number[] | SampleTensor | '';

export interface SampleTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Given: an initializer; absent: a graph input. */
  readonly values?: readonly number[];
}
