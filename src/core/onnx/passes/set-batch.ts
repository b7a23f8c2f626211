import { RetortError } from '../../../errors.ts';
import { intAttribute, intsAttribute } from '../attributes.ts';
import { inferNode } from '../infer-node.ts';
import { inferShapes } from '../infer-shapes.ts';
import {
  type Dim,
  feedInputs,
  type Graph,
  type Model,
  type Node,
  type Shape,
  type ValueInfo,
} from '../model.ts';
import { nodeLabel } from '../ops/context.ts';
import { isKnown, isStatic } from '../ops/dims.ts';
import type { ValueType } from '../ops/op.ts';
import { numbers, type Tensor, tensor } from '../tensor.ts';
import { bodiesOf } from '../walk.ts';
import { freshNames, namesIn, trimValueInfo, withGraph } from './graph-edit.ts';
import type { Pass } from './pass.ts';
import { prune } from './prune.ts';

export interface BatchOptions {
  /** The wanted batch: a symbol such as 'N', or a number. */
  readonly batch: Dim;
  /** Inputs whose first dimension is the batch. Default: all whose first dimension equals that of the first such input. */
  readonly inputs?: readonly string[];
}

/** Stands for the batch while the graph is traced; no exporter writes it. */
const BATCH = '<batch>';

/**
 * Rewrites the batch dimension. Where a graph was exported with a fixed batch, constants that repeat it are repaired:
 * 1. a Reshape target gets 0 or -1 where the batch was;
 * 2. a constant that is joined to batched data, or starts a recurrent layer, is expanded to the batch.
 * Rows must stay apart: an operator that mixes or loses them (a sum over the batch, a Squeeze of it) is ONNX_UNSUPPORTED,
 * naming the node, and the caller runs the model row by row instead.
 */
export const setBatch: Pass<BatchOptions> = {
  name: 'set-batch',
  summary: 'Every batched input and output has the wanted batch as its first dimension.',
  run: (model, options) => {
    const batched = batchedInputs(model, options);
    if (batched.length === 0) throw refuse('no input has a batch dimension');
    const old = batched[0]!.shape![0]!;
    if (old === options.batch) return model;
    const names = new Set(batched.map((input) => input.name));
    const graph = isKnown(old) ? new Trace(model, names, old).run() : model.graph;
    return withBatch({ ...model, graph }, names, old, options.batch);
  },
  ensures: (result, options) =>
    batchedInputs(result, options)
      .filter((input) => input.shape![0] !== options.batch)
      .map((input) => `input "${input.name}" has batch ${input.shape![0]}`),
};

const refuse = (why: string): RetortError =>
  new RetortError('ONNX_UNSUPPORTED', `set-batch: ${why}`, { hint: 'Run the model row by row instead.' });

function batchedInputs(model: Model, options: BatchOptions): ValueInfo[] {
  const feeds = feedInputs(model.graph).filter((input) => (input.shape?.length ?? 0) > 0);
  if (options.inputs) return feeds.filter((input) => options.inputs!.includes(input.name));
  const first = feeds[0]?.shape?.[0];
  return feeds.filter((input) => input.shape![0] === first);
}

/** Writes the batch into inputs (a symbol wherever it stands) and lets inference find the outputs. */
function withBatch(model: Model, names: ReadonlySet<string>, old: Dim, batch: Dim): Model {
  const inputs = model.graph.inputs.map((input): ValueInfo => {
    const first = names.has(input.name);
    const shape = input.shape?.map((dim, i) =>
      (first && i === 0) || (old !== '' && !isKnown(old) && dim === old) ? batch : dim,
    );
    return JSON.stringify(shape) === JSON.stringify(input.shape) ? input : { ...input, shape };
  });
  const loose: Model = { ...model, graph: { ...model.graph, inputs, valueInfo: new Map() } };
  const { types } = inferShapes(loose, { declared: false });
  const outputs = model.graph.outputs.map((output): ValueInfo => {
    const shape = types.get(output.name)?.shape;
    return output.dtype && shape ? { ...output, shape } : output;
  });
  return { ...loose, graph: { ...loose.graph, outputs } };
}

/** Follows the batch through a graph of fixed batch, repairing nodes on the way. */
class Trace {
  readonly #graph: Graph;
  readonly #opsets: Model['opsets'];
  readonly #before: ReadonlyMap<string, ValueType>;
  readonly #types = new Map<string, ValueType>();
  readonly #stored: Map<string, Tensor>;
  readonly #fresh: (stem: string) => string;
  readonly #old: number;
  readonly #nodes: Node[] = [];
  /** A batched value from which a run-time shape can be read. */
  readonly #source: string;

  constructor(model: Model, batched: ReadonlySet<string>, old: number) {
    this.#graph = model.graph;
    this.#opsets = model.opsets;
    this.#before = inferShapes(model).types;
    this.#stored = new Map(model.graph.initializers);
    this.#fresh = freshNames(namesIn(model));
    this.#old = old;
    this.#source = [...batched][0]!;
    for (const [name] of this.#stored) this.#types.set(name, this.#before.get(name)!);
    for (const input of feedInputs(model.graph)) {
      const shape = batched.has(input.name) ? [BATCH, ...input.shape!.slice(1)] : input.shape;
      this.#types.set(input.name, { dtype: input.dtype, shape });
    }
  }

  run(): Graph {
    for (const node of this.#graph.nodes) this.#step(node);
    for (const output of this.#graph.outputs) this.#check(output);
    const graph = { ...this.#graph, nodes: this.#nodes, initializers: this.#stored };
    return prune.run(
      withGraph({ irVersion: 8, opsets: this.#opsets, graph: this.#graph }, trimValueInfo(graph)),
      {},
    ).graph;
  }

  #check(output: ValueInfo): void {
    const [now, then] = [this.#types.get(output.name)?.shape, this.#before.get(output.name)?.shape];
    if (!now || !then) return;
    const place = now.indexOf(BATCH);
    if (place !== 0 || now.lastIndexOf(BATCH) !== 0)
      throw refuse(`output "${output.name}" has no row for every row of the batch`);
  }

  #batched(name: string | undefined): boolean {
    const type = this.#types.get(name ?? '');
    return (type?.shape?.includes(BATCH) || type?.elements?.includes(BATCH)) ?? false;
  }

  #step(node: Node): void {
    if (!node.inputs.some((name) => this.#batched(name))) {
      this.#add(node);
      return;
    }
    if (bodiesOf(node).length > 0) throw refuse(`${nodeLabel(node)} has a body that reads the batch`);
    this.#mixing(node);
    const repaired = this.#repaired(node);
    this.#add(repaired);
    const shapes = repaired.outputs.map((name) => this.#types.get(name)?.shape);
    if (shapes.some((shape) => shape && shape.indexOf(BATCH) !== shape.lastIndexOf(BATCH)))
      throw refuse(`${nodeLabel(node)} sets rows of the batch against one another`);
    const read = repaired.inputs.some((name) => this.#types.get(name)?.shape?.includes(BATCH));
    const lost = read && !repaired.outputs.some((name) => this.#batched(name));
    if (lost && !['Shape', 'Size'].includes(node.op) && !isIndexArithmetic(this.#types.get(node.outputs[0]!)))
      throw refuse(`${nodeLabel(node)} loses the rows of the batch`);
  }

  #add(node: Node): void {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : this.#types.get(name)));
    let types: ValueType[];
    try {
      types = inferNode(node, inputs, this.#opsets[node.domain] ?? 1);
    } catch (cause) {
      if (!(cause instanceof RetortError)) throw cause;
      throw refuse(`${cause.message} once the batch is free`);
    }
    node.outputs.forEach((name, i) => {
      const type = types[i]!;
      const known = this.#before.get(name);
      this.#types.set(name, type.shape || type.sequence ? type : (known ?? type));
    });
    this.#nodes.push(node);
  }

  /** Operators that keep the shape but mix along an axis. */
  #mixing(node: Node): void {
    const shape = this.#types.get(node.inputs[0]!)?.shape;
    const place = shape?.indexOf(BATCH) ?? -1;
    if (!shape || place < 0) return;
    const axisOf = (fallback: number): number => {
      const axis = intAttribute(node, 'axis', fallback);
      return axis < 0 ? axis + shape.length : axis;
    };
    const old = (this.#opsets[''] ?? 1) < 13;
    const mixes: Readonly<Record<string, () => boolean>> = {
      BatchNormalization: () => intAttribute(node, 'training_mode', 0) === 1 || place === 1,
      CumSum: () => this.#constant(node.inputs[1])?.[0] === place,
      LayerNormalization: () => axisOf(-1) <= place,
      LogSoftmax: () => (old ? axisOf(1) <= place : axisOf(-1) === place),
      LpNormalization: () => axisOf(-1) === place,
      MeanVarianceNormalization: () => intsAttribute(node, 'axes', [0, 2, 3]).includes(place),
      Softmax: () => (old ? axisOf(1) <= place : axisOf(-1) === place),
      TopK: () => axisOf(-1) === place,
    };
    if (mixes[node.op]?.()) throw refuse(`${nodeLabel(node)} mixes the rows of the batch`);
  }

  #constant(name: string | undefined): number[] | undefined {
    const value = this.#types.get(name ?? '')?.constant;
    return value && numbers(value);
  }

  #repaired(node: Node): Node {
    if (node.domain !== '') return node;
    if (node.op === 'Reshape') return this.#reshape(node);
    if (node.op === 'Concat') return this.#concat(node);
    if (['GRU', 'LSTM', 'RNN'].includes(node.op)) return this.#recurrent(node);
    return node;
  }

  /** Case 1. The batch keeps its place in row-major order: what stands before it multiplies to the same. */
  #reshape(node: Node): Node {
    const x = this.#types.get(node.inputs[0]!)?.shape;
    const target = this.#constant(node.inputs[1]);
    const after = this.#before.get(node.outputs[0]!)?.shape;
    if (!x || !target || !isStatic(after)) return node;
    const place = x.indexOf(BATCH);
    const then = this.#before.get(node.inputs[0]!)?.shape;
    if (place < 0 || !isStatic(then)) return node;
    const product = (dims: readonly number[]): number => dims.reduce((p, d) => p * d, 1);
    const lead = product(then.slice(0, place));
    const at = after.findIndex((dim, i) => product(after.slice(0, i)) === lead && dim % this.#old === 0);
    if (at < 0) throw refuse(`${nodeLabel(node)} folds the batch into other dimensions`);
    // Merged with what follows it (heads, windows), it is no longer one dimension but still a multiple: -1.
    const values = after.map((dim, i) => (i === at ? (at === place && dim === this.#old ? 0 : -1) : dim));
    const name = this.#store(`${node.inputs[1]}_batch`, tensor('int64', [values.length], values));
    return { ...node, inputs: [node.inputs[0]!, name] };
  }

  /** Case 2: [1, 1, D] joined to [N, T, D] along another axis. */
  #concat(node: Node): Node {
    const shapes = node.inputs.map((name) => this.#types.get(name)?.shape);
    const place = shapes.find((shape) => shape?.includes(BATCH))?.indexOf(BATCH) ?? -1;
    if (place < 0) return node;
    const rank = shapes[0]?.length ?? 0;
    const axis = intAttribute(node, 'axis', 1);
    if ((axis < 0 ? axis + rank : axis) === place) throw refuse(`${nodeLabel(node)} joins along the batch`);
    const inputs = node.inputs.map((name, i) =>
      shapes[i]?.[place] === BATCH ? name : this.#expanded(name, shapes[i], place, node),
    );
    return { ...node, inputs };
  }

  /** Case 2: initial states [directions, batch, hidden]. */
  #recurrent(node: Node): Node {
    const place = intAttribute(node, 'layout', 0) === 1 ? 0 : 1;
    const inputs = node.inputs.map((name, i) =>
      i < 5 || i > 6 || name === '' || this.#batched(name)
        ? name
        : this.#expanded(name, this.#types.get(name)?.shape, place, node),
    );
    return { ...node, inputs };
  }

  /** Expands a value of batch one along `place`, to the batch that comes at run time. */
  #expanded(name: string, shape: Shape | undefined, place: number, node: Node): string {
    if (!isStatic(shape) || shape[place] !== 1)
      throw refuse(`${nodeLabel(node)} reads "${name}", whose rows cannot be repeated`);
    const whole = this.#emit('Shape', [this.#source], 'shape');
    const first = this.#store('first', tensor('int64', [1], [0]));
    const count = this.#emit('Gather', [whole, first], 'batch');
    const fixed = (dims: readonly number[]): string =>
      this.#store('dims', tensor('int64', [dims.length], dims));
    const parts = [fixed(shape.slice(0, place)), count, fixed(shape.slice(place + 1))];
    const target = this.#emit('Concat', parts, 'target', { axis: { type: 'int', value: 0n } });
    return this.#emit('Expand', [name, target], `${name}_rows`);
  }

  #emit(op: string, inputs: string[], stem: string, attributes: Node['attributes'] = {}): string {
    const output = this.#fresh(stem);
    this.#add({ op, domain: '', name: output, inputs, outputs: [output], attributes });
    return output;
  }

  #store(stem: string, value: Tensor): string {
    const name = this.#fresh(stem);
    this.#stored.set(name, value);
    this.#types.set(name, { dtype: value.dtype, shape: value.dims, constant: value });
    return name;
  }
}

/** Small integers made from a shape are settings, not rows. */
const isIndexArithmetic = (type: ValueType | undefined): boolean =>
  type?.dtype === 'int64' && (type.shape?.length ?? 2) <= 1;
