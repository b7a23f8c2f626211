import type { DType } from './dtype.ts';
import type { Tensor } from './tensor.ts';

/**
 * The ONNX graph as immutable data: Retort's only model representation. Names follow onnx.proto.
 * Whatever we do not interpret rides along as `rest`: the original wire bytes of those fields.
 */

/** A known size, a symbolic one by name, or '' for unknown. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** The type of a value: a tensor type we interpret, or any other TypeProto kept as its wire bytes. */
export interface ValueInfo {
  readonly name: string;
  /** Undefined when the type is absent or is no tensor. */
  readonly dtype: DType | undefined;
  /** Undefined when the rank is unknown. */
  readonly shape: Shape | undefined;
  /** Wire bytes of a TypeProto that is not a plain tensor (sequence, map, optional, sparse). */
  readonly otherType?: Uint8Array;
  /** What the type stands for ("IMAGE", "TENSOR"): TypeProto.denotation. */
  readonly denotation?: string;
  /** What each dimension stands for ("DATA_BATCH", ""): one per dimension of the file's shape. */
  readonly dimDenotations?: readonly string[];
  readonly doc?: string;
  readonly rest?: Uint8Array;
}

type AttributeValue =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'string'; readonly value: Uint8Array }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'graph'; readonly value: Graph }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly bigint[] }
  | { readonly type: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly type: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly type: 'graphs'; readonly value: readonly Graph[] }
  /** Anything else (references, sparse tensors, type protos): the whole AttributeProto as wire bytes. */
  | { readonly type: 'other'; readonly value: Uint8Array };

export type Attribute = AttributeValue & { readonly rest?: Uint8Array };

export interface Node {
  readonly op: string;
  /** '' is the default ONNX domain. */
  readonly domain: string;
  readonly name: string;
  /** Value names; '' is an optional input or output left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly doc?: string;
  readonly rest?: Uint8Array;
}

export interface Graph {
  readonly name: string;
  /** In topological order. */
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** May repeat initializers (old IR versions); those are not inputs a caller must feed. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfo: ReadonlyMap<string, ValueInfo>;
  readonly doc?: string;
  readonly rest?: Uint8Array;
}

export interface Model {
  readonly irVersion: number;
  /** Operator set version by domain ('' is the default domain). */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: bigint;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly graph: Graph;
  readonly doc?: string;
  readonly rest?: Uint8Array;
}

/** The inputs a caller must feed: graph inputs that are not initializers. */
export const feedInputs = (graph: Graph): readonly ValueInfo[] =>
  graph.inputs.filter((input) => !graph.initializers.has(input.name));
