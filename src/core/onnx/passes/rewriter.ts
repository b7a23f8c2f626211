import { type AttributeInput, toAttribute } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import { inferShapes } from '../infer-shapes.ts';
import type { Graph, Model, Node } from '../model.ts';
import { nodeLabel } from '../ops/context.ts';
import type { ValueType } from '../ops/op.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { freshNames, mapBodies, namesIn, trimValueInfo } from './graph-edit.ts';

/**
 * Node-by-node rewriting of a model: for every node, bodies included, a function may emit a replacement. Constants go to the
 * main graph, where bodies see them too.
 */
export class Rewriter {
  readonly opset: number;
  readonly #model: Model;
  readonly #fresh: (stem: string) => string;
  readonly #added = new Map<string, Tensor>();
  readonly #byKey = new Map<string, string>();
  #types: ReadonlyMap<string, ValueType> | undefined;
  #pending: Node[] = [];
  #local = new Map<string, Tensor>();

  constructor(model: Model) {
    this.#model = model;
    this.opset = model.opsets[''] ?? 1;
    this.#fresh = freshNames(namesIn(model));
  }

  /** The type of a value in the model before rewriting. */
  type(name: string): ValueType {
    this.#types ??= inferShapes(this.#model).types;
    return this.#types.get(name) ?? { dtype: undefined, shape: undefined };
  }

  /** A constant of the main graph; equal ones are made once. */
  constant(dtype: DType, dims: readonly number[], values: readonly number[]): string {
    const key = `${dtype}[${dims}]${values}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const name = this.store(tensor(dtype, dims, values));
    this.#byKey.set(key, name);
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  scalar(dtype: DType, value: number): string {
    return this.constant(dtype, [], [value]);
  }

  /** A new initializer of the main graph. */
  store(value: Tensor, stem = 'const'): string {
    const name = this.#fresh(stem);
    this.#added.set(name, value);
    return name;
  }

  /** Makes the output of the present node an initializer of the graph the node is in. */
  keep(name: string, value: Tensor): void {
    this.#local.set(name, value);
  }

  /** Emits a node in place of the present one; returns its first output. */
  op(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeInput> = {},
    outputs: readonly string[] = [this.#fresh(op.charAt(0).toLowerCase() + op.slice(1))],
  ): string {
    const entries = Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)] as const);
    this.emit({ op, domain: '', name: '', inputs, outputs, attributes: Object.fromEntries(entries) });
    return outputs[0]!;
  }

  emit(node: Node): void {
    this.#pending.push(node);
  }

  fresh(stem: string): string {
    return this.#fresh(stem);
  }

  label(node: Node): string {
    return nodeLabel(node);
  }

  /** Applies `replace` to every node; it returns true where it emitted a replacement (possibly none: the node goes). */
  run(replace: (node: Node, rewriter: Rewriter) => boolean): Graph {
    const walk = (graph: Graph): Graph => {
      const around = this.#local;
      const local = new Map<string, Tensor>();
      let changed = false;
      const nodes = graph.nodes.flatMap((original) => {
        const node = mapBodies(original, walk);
        this.#pending = [];
        this.#local = local;
        const done = replace(node, this);
        changed ||= done || node !== original;
        return done ? this.#pending : [node];
      });
      this.#local = around;
      if (!changed) return graph;
      const initializers = local.size > 0 ? new Map([...graph.initializers, ...local]) : graph.initializers;
      return trimValueInfo({ ...graph, nodes, initializers });
    };
    const graph = walk(this.#model.graph);
    if (this.#added.size === 0) return graph;
    return { ...graph, initializers: new Map([...graph.initializers, ...this.#added]) };
  }
}
