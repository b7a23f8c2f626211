import { isFloat } from './dtype.ts';
import type { Model, Node } from './model.ts';
import type { ValueType } from './ops/op.ts';
import { readsOf } from './walk.ts';

/** A tensor at which a layer ends. */
export interface LayerEnd {
  readonly name: string;
  /** Of one row: [C, H, W], [L, D] or [D]. */
  readonly dims: readonly number[];
  /** Share of the nodes on the way to the scores that come before it, 0 to 1. */
  readonly depth: number;
}

/** Operators that end a layer on maps and vectors. */
const CLOSING = new Set([
  'BatchNormalization',
  'Celu',
  'Clip',
  'Concat',
  'Elu',
  'Gelu',
  'GroupNormalization',
  'HardSwish',
  'InstanceNormalization',
  'LeakyRelu',
  'Mish',
  'PRelu',
  'Relu',
  'Selu',
  'Tanh',
]);
/** Operators that join two branches: a shortcut, a gate. A bias or a scale is no branch. */
const JOINING = new Set(['Add', 'Mul', 'Sum']);
/** Operators that make a map [N, C, ...]; what follows them element by element is one too. */
const MAPPING = /Conv|Pool|^Resize$|^DepthToSpace$|^SpaceToDepth$/;
/** Operators behind which a map is none any more: heads of attention are of rank 4, too. */
const UNMAPPING = new Set(['Reshape', 'Flatten', 'Transpose', 'MatMul', 'Gemm', 'Squeeze', 'Unsqueeze']);

/**
 * Where the layers of a network end, from input to `output`: of maps [N, C, H, W] the last result of an activation, a
 * normalisation or a joint before their height or width changes; of sequences [N, L, D] every residual sum and layer
 * normalisation; of vectors [N, D] every activation. Maps of one pixel (gates, pooled maps), heads and scores of attention
 * and maps with one axis [N, C, L] are none.
 * @param types with known sizes, the batch being `rows`
 */
export function layerEnds(
  model: Model,
  output: string,
  types: ReadonlyMap<string, ValueType>,
  rows: number,
): LayerEnd[] {
  const { graph } = model;
  const way = wayTo(graph.nodes, output);
  const stored = new Set(graph.initializers.keys());
  const fed = new Set(graph.inputs.map((input) => input.name).filter((name) => !stored.has(name)));
  const maps = new Set<string>();
  const ends: (LayerEnd & { readonly kind: string })[] = [];
  way.forEach((node, at) => {
    const branches = node.inputs.filter((name) => fed.has(name));
    if (branches.length > 0) for (const name of node.outputs) fed.add(name);
    const name = node.outputs[0]!;
    const isMap =
      MAPPING.test(node.op) || (!UNMAPPING.has(node.op) && node.inputs.some((each) => maps.has(each)));
    if (isMap) for (const each of node.outputs) maps.add(each);
    const { dtype, shape } = types.get(name) ?? {};
    if (!isFloat(dtype) || !shape?.every((dim) => typeof dim === 'number') || shape[0] !== rows) return;
    if (name === output || !closes(node, shape.length, branches.length)) return;
    if (isMap !== (shape.length === 4) && shape.length > 2) return;
    const [, ...dims] = shape as number[];
    if (dims.length === 3 && dims[1]! * dims[2]! === 1) return;
    const kind = dims.length === 3 ? `${dims[1]}x${dims[2]}` : `${at}`;
    const end = { name, dims, depth: (at + 1) / way.length, kind };
    if (ends.at(-1)?.kind === kind) ends.splice(-1, 1, end);
    else ends.push(end);
  });
  return ends.map(({ kind: _kind, ...end }) => end);
}

function closes(node: Node, rank: number, branches: number): boolean {
  if (node.domain !== '' || rank < 2 || rank > 4) return false;
  const joins = JOINING.has(node.op) && branches >= 2;
  if (rank === 3) return node.op === 'LayerNormalization' || (joins && node.op !== 'Mul');
  return joins || CLOSING.has(node.op);
}

/** The nodes that `output` depends on, in order. */
function wayTo(nodes: readonly Node[], output: string): Node[] {
  const live = new Set([output]);
  const way: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => live.has(name))) continue;
    way.push(node);
    for (const name of readsOf(node)) live.add(name);
  }
  return way.reverse();
}
