import { intsAttribute, toAttribute } from '../onnx/attributes.ts';
import { BUILD_OPSET, GraphBuilder } from '../onnx/builder.ts';
import type { Graph, Node } from '../onnx/model.ts';
import { pruned } from '../onnx/passes/prune.ts';

/** Operator sets of the graph: FusedMatMul is onnxruntime's own. */
export const FUSED_OPSETS = { '': BUILD_OPSET, 'com.microsoft': 1 };

/**
 * MatMul of batches whose factor a Transpose has made reads the last two axes exchanged (FusedMatMul, float32 on CPUs) where that
 * saves the Transpose, or leaves one that moves whole rows: K^T of attention from [N, T, H, D] is then read from [N, H, T, D],
 * which the gradient of Q needs besides. onnxruntime 1.30 does the same, but only after it has merged Transposes that
 * belong apart. No value changes.
 */
export function fuseTransposes(graph: Graph): Graph {
  const b = new GraphBuilder(FUSED_OPSETS);
  b.reserve(graph.nodes.flatMap(({ outputs }) => outputs));
  b.append({ ...graph, nodes: [] });
  const writer = new Writer(b);
  for (const node of graph.nodes) writer.write(node);
  b.output(...graph.outputs.map(({ name }) => name));
  return pruned(b.build(graph.name));
}

class Writer {
  readonly #b: GraphBuilder;
  /** What each Transpose made, by its output. */
  readonly #made = new Map<string, { readonly from: string; readonly perm: readonly number[] }>();
  /** The output of the Transpose that there is already, by source and permutation. */
  readonly #known = new Map<string, string>();

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  write(node: Node): void {
    const { op, domain } = node;
    this.#b.node(op === 'MatMul' && domain === '' ? this.#matMul(node) : node);
    if (op === 'Transpose') this.#keep(node);
  }

  #matMul(node: Node): Node {
    const [a, c] = node.inputs as [string, string];
    const b = this.#b;
    if (b.dtype(a) !== 'float32' || b.dims(a).length !== b.dims(c).length) return node;
    const [left, right] = [this.#exchanged(a), this.#exchanged(c)];
    if (left === undefined && right === undefined) return node;
    return {
      ...node,
      op: 'FusedMatMul',
      domain: 'com.microsoft',
      inputs: [left ?? a, right ?? c],
      attributes: {
        transA: toAttribute(Number(left !== undefined)),
        transB: toAttribute(Number(right !== undefined)),
      },
    };
  }

  /** A batch of matrices that are those of `name` transposed, where it is made by a Transpose and that one is easier to have. */
  #exchanged(name: string): string | undefined {
    const made = this.#made.get(name);
    const rank = made?.perm.length ?? 0;
    if (!made || rank < 3) return undefined;
    const perm = [...made.perm.slice(0, -2), made.perm[rank - 1]!, made.perm[rank - 2]!];
    if (perm.every((axis, i) => axis === i)) return made.from;
    if (perm[rank - 1] !== rank - 1) return undefined;
    return this.#known.get(`${made.from} ${perm}`) ?? this.#transpose(made.from, perm);
  }

  #transpose(from: string, perm: readonly number[]): string {
    const to = this.#b.op('Transpose', [from], { perm });
    this.#known.set(`${from} ${perm}`, to);
    return to;
  }

  #keep(node: Node): void {
    const [[from], [to]] = [node.inputs, node.outputs] as [[string], [string]];
    const perm = intsAttribute(node, 'perm');
    if (!perm) return;
    this.#made.set(to, { from, perm });
    this.#known.set(`${from} ${perm}`, to);
  }
}
