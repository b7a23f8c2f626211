import { invariant, RetortError } from '../../errors.ts';
import { type AttributeInput, toAttribute } from './attributes.ts';
import type { DType } from './dtype.ts';
import { inferGraph, initializerType } from './infer-graph.ts';
import { inferNode } from './infer-node.ts';
import type { Graph, Model, Node, Shape, ValueInfo } from './model.ts';
import type { ValueType } from './ops/op.ts';
import { type Tensor, tensor } from './tensor.ts';

/** The operator set of every graph Retort makes: the one all CUDA kernels match (docs/adr/0001). */
export const BUILD_OPSET = 18;
export const BUILD_IR_VERSION = 8;

interface NodeOptions {
  readonly name?: string;
  readonly domain?: string;
  /** Output names (fixed), or how many to invent. */
  readonly outputs?: number | readonly string[];
}

/**
 * The only way to make graphs. Values are handled by name; types are inferred as nodes are added, so shapes are
 * known while a graph is being built and a misfit is reported at the line that caused it.
 */
export class GraphBuilder {
  readonly #types = new Map<string, ValueType>();
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Tensor>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: string[] = [];
  readonly #constants = new Map<string, string>();
  readonly #counters = new Map<string, number>();
  readonly #reserved = new Set<string>();
  readonly opsets: Readonly<Record<string, number>>;

  constructor(opsets: Readonly<Record<string, number>> = { '': BUILD_OPSET }) {
    this.opsets = opsets;
  }

  /** Starts a builder that already holds a graph (its outputs are not taken over; declare them again). */
  static from(graph: Graph, opsets?: Readonly<Record<string, number>>): GraphBuilder {
    const b = new GraphBuilder(opsets);
    b.append(graph);
    return b;
  }

  /** Adds the inputs, initializers and nodes of a graph under their own names. */
  append(graph: Graph): void {
    for (const [name, value] of graph.initializers) this.initializer(name, value);
    for (const input of graph.inputs) {
      if (!this.#types.has(input.name)) this.input(input.name, input.dtype, input.shape);
    }
    for (const node of graph.nodes) this.node(node);
  }

  /** Keeps these names free for nodes still to come: `fresh` will not give them away. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name);
  }

  /** A name that no value has yet, nor is reserved. */
  fresh(stem: string): string {
    for (;;) {
      const count = this.#counters.get(stem) ?? 0;
      this.#counters.set(stem, count + 1);
      const name = count === 0 ? stem : `${stem}_${count}`;
      if (!this.#types.has(name) && !this.#reserved.has(name)) return name;
    }
  }

  input(name: string, dtype: DType | undefined, shape: Shape | undefined): string {
    this.#define(name, { dtype, shape });
    this.#inputs.push({ name, dtype, shape });
    return name;
  }

  /** A named tensor: a parameter or a constant. Never shared; folded only if it is small and of integers or bools. */
  initializer(name: string, value: Tensor): string {
    this.#define(name, initializerType(value));
    this.#initializers.set(name, value);
    return name;
  }

  /** An anonymous small constant; equal ones are made once. Scalars have shape []; arrays shape [n] unless dims given. */
  constant(values: number | readonly number[], dtype: DType = 'float32', dims?: readonly number[]): string {
    const list = typeof values === 'number' ? [values] : values;
    const shape = dims ?? (typeof values === 'number' ? [] : [list.length]);
    const key = `${dtype}[${shape.join()}]${list.map((v) => (Object.is(v, -0) ? '-0' : v)).join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const value = tensor(dtype, shape, list);
    const name = this.fresh('const');
    this.#define(name, { dtype, shape, constant: value });
    this.#initializers.set(name, value);
    this.#constants.set(key, name);
    return name;
  }

  /** 1-D int64 constant: shapes, axes, pads. */
  ints(values: readonly number[]): string {
    return this.constant(values, 'int64', [values.length]);
  }

  /** Adds a node; returns the name of its first output. */
  op(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeInput> = {},
    options: NodeOptions = {},
  ): string {
    return this.ops(op, inputs, attributes, options)[0]!;
  }

  /** Adds a node; returns the names of all its outputs. */
  ops(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeInput> = {},
    options: NodeOptions = {},
  ): string[] {
    const wanted = options.outputs ?? 1;
    const stem = options.name ?? op.charAt(0).toLowerCase() + op.slice(1);
    const outputs =
      typeof wanted === 'number' ? Array.from({ length: wanted }, () => this.fresh(stem)) : [...wanted];
    const entries = Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)] as const);
    this.node({
      op,
      domain: options.domain ?? '',
      // onnxruntime refuses two nodes of one name: a node is named like its (fresh) first output.
      name: options.name === undefined ? '' : typeof wanted === 'number' ? outputs[0]! : options.name,
      inputs,
      outputs,
      attributes: Object.fromEntries(entries),
    });
    return outputs;
  }

  /** Adds a ready-made node. */
  node(node: Node): void {
    const inputs = node.inputs.map((name) => {
      if (name === '') return undefined;
      const type = this.#types.get(name);
      if (!type)
        throw new RetortError(
          'ONNX_INVALID',
          `${node.op} "${node.name}" reads "${name}", which nothing makes`,
        );
      return type;
    });
    const types = inferNode(node, inputs, this.opsets[node.domain] ?? 1, (graph, given) =>
      this.#body(graph, given),
    );
    this.#nodes.push(node);
    node.outputs.forEach((name, i) => {
      if (name !== '') this.#define(name, types[i]!);
    });
  }

  output(...names: readonly string[]): void {
    for (const name of names) {
      this.type(name);
      this.#outputs.push(name);
    }
  }

  has(name: string): boolean {
    return this.#types.has(name);
  }

  type(name: string): ValueType {
    const type = this.#types.get(name);
    invariant(type, `no value named "${name}" in this graph`);
    return type;
  }

  /** Fully known dimensions of a value; ONNX_SHAPE if any is symbolic or unknown. */
  dims(name: string): number[] {
    const { shape } = this.type(name);
    if (!shape?.every((dim) => typeof dim === 'number')) {
      const seen = shape ? `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]` : 'unknown';
      throw new RetortError('ONNX_SHAPE', `the shape of "${name}" must be known here; it is ${seen}`);
    }
    return shape as number[];
  }

  dtype(name: string): DType {
    const { dtype } = this.type(name);
    if (!dtype) throw new RetortError('ONNX_SHAPE', `the element type of "${name}" is unknown`);
    return dtype;
  }

  /** The nodes so far, in order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  get initializers(): ReadonlyMap<string, Tensor> {
    return this.#initializers;
  }

  build(name = 'retort'): Graph {
    const outputs = this.#outputs.map((output) => {
      const { dtype, shape } = this.type(output);
      return { name: output, dtype, shape };
    });
    return {
      name,
      nodes: [...this.#nodes],
      initializers: new Map(this.#initializers),
      inputs: [...this.#inputs],
      outputs,
      valueInfo: new Map(),
    };
  }

  model(name = 'retort'): Model {
    return { irVersion: BUILD_IR_VERSION, opsets: this.opsets, producer: 'retort', graph: this.build(name) };
  }

  /** Output types of a body graph, which sees the values made so far. */
  #body(graph: Graph, given: readonly ValueType[]): ValueType[] {
    const outer = (name: string): ValueType | undefined => this.#types.get(name);
    const inputs = new Map(graph.inputs.map((input, i) => [input.name, given[i] ?? input]));
    const types = inferGraph(graph, inputs, { opsets: this.opsets, outer });
    return graph.outputs.map((output) => types.get(output.name) ?? outer(output.name) ?? output);
  }

  #define(name: string, type: ValueType): void {
    if (this.#types.has(name)) throw new RetortError('ONNX_INVALID', `value "${name}" is defined twice`);
    this.#types.set(name, type);
  }
}
