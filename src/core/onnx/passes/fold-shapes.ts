import { inferShapes } from '../infer-shapes.ts';
import type { Graph, Model, Node, Shape, ValueInfo } from '../model.ts';
import { isKnown } from '../ops/dims.ts';
import type { ValueType } from '../ops/op.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { bodiesOf } from '../walk.ts';
import { freshNames, namesIn, renameReads, trimValueInfo, withGraph } from './graph-edit.ts';
import { inlineBranches } from './inline-branches.ts';
import type { Pass } from './pass.ts';
import { prune } from './prune.ts';

export interface FoldOptions {
  /** Shapes of graph inputs to assume and to write into the result (static ones fold best). */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** Float initializers that are no parameters and may be folded. Default: none, only Constant nodes and integers. */
  readonly foldable?: (name: string) => boolean;
  /** Also remove what changes nothing: Identity, Cast to the same type, Dropout at inference, Reshape to the same shape. */
  readonly noops?: boolean;
}

type Types = ReadonlyMap<string, ValueType>;

/**
 * Replaces whatever is known before a run by initializers: shape arithmetic above all. Trained parameters are never folded.
 * 1. If nodes with a known condition give way to their branch.
 * 2. Values that inference knows become initializers under their own names.
 * 3. A Reshape target known but for one symbolic dimension becomes a constant with -1 there.
 * 4. On request, nodes that change nothing go.
 */
export const foldShapes: Pass<FoldOptions> = {
  name: 'fold-shapes',
  summary: 'No node computes what is known before the model runs.',
  run: (model, options) => {
    const shaped = withShapes(model, options.shapes);
    const inlined = inlineBranches(shaped, (m) => inferShapes(m, inferOptions(options)).types);
    const { types } = inferShapes(inlined, inferOptions(options));
    const folded = folding(inlined, types);
    const slim = options.noops ? withoutNoops(folded, types) : folded;
    return slim === model ? model : prune.run(slim, {});
  },
  ensures: (result, options) => {
    const { types } = inferShapes(result, inferOptions(options));
    return result.graph.nodes
      .filter((node) => foldable(node, types, result.graph))
      .map((node) => `${node.op} "${node.name}" is still computed`);
  },
};

/** Overridden shapes are in the model by then. */
const inferOptions = (options: FoldOptions) => (options.foldable ? { foldable: options.foldable } : {});

function withShapes(model: Model, shapes: FoldOptions['shapes']): Model {
  if (!shapes) return model;
  const differs = (input: ValueInfo): boolean =>
    input.name in shapes && JSON.stringify(shapes[input.name]) !== JSON.stringify(input.shape);
  if (!model.graph.inputs.some(differs)) return model;
  const inputs = model.graph.inputs.map((i) => (differs(i) ? { ...i, shape: shapes[i.name] } : i));
  const loose = { ...model, graph: { ...model.graph, inputs, valueInfo: new Map() } };
  const { types } = inferShapes(loose, { declared: false });
  const outputs = loose.graph.outputs.map((o) => ({ ...o, shape: types.get(o.name)?.shape }));
  return withGraph(loose, { ...loose.graph, outputs });
}

/** All outputs that are used at all have known values. */
const foldable = (node: Node, types: Types, graph: Graph): boolean =>
  node.outputs.every((name) => name === '' || types.get(name)?.constant) &&
  bodiesOf(node).length === 0 &&
  !node.outputs.some((name) => graph.initializers.has(name));

function folding(model: Model, types: Types): Model {
  const graph = model.graph;
  const stored = new Map<string, Tensor>(graph.initializers);
  const fresh = freshNames(namesIn(model));
  const nodes = graph.nodes.flatMap((node) => {
    if (foldable(node, types, graph)) {
      for (const name of node.outputs) if (name !== '') stored.set(name, types.get(name)!.constant!);
      return [];
    }
    return [withConstantTarget(node, types, stored, fresh)];
  });
  const same = nodes.length === graph.nodes.length && nodes.every((node, i) => node === graph.nodes[i]);
  return same ? model : withGraph(model, trimValueInfo({ ...graph, nodes, initializers: stored }));
}

function withConstantTarget(
  node: Node,
  types: Types,
  stored: Map<string, Tensor>,
  fresh: (stem: string) => string,
): Node {
  const target = node.inputs[1];
  const elements = target === undefined ? undefined : types.get(target)?.elements;
  if (node.op !== 'Reshape' || node.domain !== '' || !elements) return node;
  const open = elements.filter((dim) => !isKnown(dim));
  if (open.length !== 1 || open[0] === '' || elements.includes(-1) || elements.includes(0)) return node;
  const values = elements.map((dim) => (isKnown(dim) ? dim : -1));
  const name = fresh(`${target}_known`);
  stored.set(name, tensor('int64', [values.length], values));
  return { ...node, inputs: [node.inputs[0]!, name] };
}

const equal = (a: ValueType | undefined, b: ValueType | undefined): boolean =>
  a?.dtype !== undefined && a.dtype === b?.dtype;

/** A shape that is certainly the same: every dimension a number or a named symbol, and equal. */
const sameShape = (a: ValueType | undefined, b: ValueType | undefined): boolean =>
  a?.shape !== undefined &&
  a.shape.length === b?.shape?.length &&
  a.shape.every((dim, i) => dim !== '' && dim === b.shape![i]);

function changesNothing(node: Node, types: Types, used: (name: string) => boolean): boolean {
  const [x, y] = [types.get(node.inputs[0] ?? ''), types.get(node.outputs[0] ?? '')];
  if (node.domain !== '') return false;
  switch (node.op) {
    case 'Identity':
      return true;
    case 'Cast':
      return equal(x, y);
    case 'Dropout': {
      const training =
        node.inputs[2] === undefined || node.inputs[2] === '' ? undefined : types.get(node.inputs[2]);
      const off = training ? training.constant?.bytes[0] === 0 : true;
      return off && !used(node.outputs[1] ?? '');
    }
    case 'Expand':
    case 'Flatten':
    case 'Reshape':
    case 'Squeeze':
    case 'Tile':
      return sameShape(x, y);
    case 'Concat':
      return node.inputs.length === 1;
    default:
      return false;
  }
}

/** Removes no-ops whose output is not an output of the graph (those names must stay), chains included. */
function withoutNoops(model: Model, types: Types): Model {
  const graph = model.graph;
  const reads = new Set(graph.nodes.flatMap((node) => [...node.inputs]));
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const used = (name: string): boolean => name !== '' && (reads.has(name) || outputs.has(name));
  const alias = new Map<string, string>();
  const nodes = graph.nodes.flatMap((original) => {
    const node = renameReads(original, alias);
    const [from, to] = [node.inputs[0] ?? '', node.outputs[0] ?? ''];
    if (outputs.has(to) || graph.initializers.has(from) || !changesNothing(node, types, used)) return [node];
    alias.set(to, from);
    return [];
  });
  return alias.size === 0 ? model : withGraph(model, trimValueInfo({ ...graph, nodes }));
}
