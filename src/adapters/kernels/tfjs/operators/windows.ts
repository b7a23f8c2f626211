import { intAttribute, intsAttribute, stringAttribute } from '../../../../core/onnx/attributes.ts';
import { RetortError } from '../../../../errors.ts';
import type { Node } from './operator.ts';

/**
 * Sliding windows over any number of spatial axes, in ONNX's layout, as one table: which input element each tap of each
 * output position reads. Convolution and pooling are then gathers by the table (unfold.ts), whatever the rank, strides,
 * dilations and (asymmetric) pads.
 */
export interface Windows {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before each axis, and behind it. */
  readonly before: readonly number[];
  readonly behind: readonly number[];
  /** [taps, positions] of flat spatial input indices; -1 in the padding. */
  readonly table: Int32Array;
  readonly taps: number;
  readonly positions: number;
}

export const product = (dims: readonly number[]): number => dims.reduce((n, dim) => n * dim, 1);

type Geometry = Omit<Windows, 'table' | 'taps' | 'positions'>;

const known = new WeakMap<Node, Windows>();

/** The windows of a convolution or pool over these input sizes; worked out once per node. */
export const windowsOf = (node: Node, input: readonly number[], kernel: readonly number[]): Windows =>
  remembered(node, geometry(node, input, kernel));

/** The windows of the convolution that a transposed one is the adjoint of: they read its output, `from` are positions. */
export const transposedWindowsOf = (
  node: Node,
  from: readonly number[],
  kernel: readonly number[],
): Windows => remembered(node, transposedGeometry(node, from, kernel));

function remembered(node: Node, wanted: Geometry): Windows {
  const cached = known.get(node);
  if (cached && cached.input.join() === wanted.input.join()) return cached;
  const made = tabulate(wanted);
  known.set(node, made);
  return made;
}

function geometry(node: Node, input: readonly number[], kernel: readonly number[]): Geometry {
  const rank = input.length;
  const strides = intsAttribute(node, 'strides', Array(rank).fill(1));
  const dilations = intsAttribute(node, 'dilations', Array(rank).fill(1));
  const pads = intsAttribute(node, 'pads', Array(2 * rank).fill(0));
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  const reach = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  if (auto.startsWith('SAME')) {
    const output = input.map((size, i) => Math.ceil(size / strides[i]!));
    const total = input.map((size, i) => Math.max(0, (output[i]! - 1) * strides[i]! + reach[i]! - size));
    const low = total.map((t) => Math.floor(t / 2));
    const high = total.map((t) => Math.ceil(t / 2));
    const [before, behind] = auto === 'SAME_UPPER' ? [low, high] : [high, low];
    return { input, kernel, output, strides, dilations, before, behind };
  }
  const before = auto === 'VALID' ? input.map(() => 0) : pads.slice(0, rank);
  const behind = auto === 'VALID' ? input.map(() => 0) : pads.slice(rank);
  const ceil = intAttribute(node, 'ceil_mode', 0) === 1;
  const output = input.map((size, i) => {
    const room = size + before[i]! + behind[i]! - reach[i]!;
    if (!ceil) return Math.floor(room / strides[i]!) + 1;
    const out = Math.ceil(room / strides[i]!) + 1;
    // A window that would start in the padding behind is dropped.
    return (out - 1) * strides[i]! >= size + before[i]! ? out - 1 : out;
  });
  return { input, kernel, output, strides, dilations, before, behind };
}

function transposedGeometry(node: Node, from: readonly number[], kernel: readonly number[]): Geometry {
  const rank = from.length;
  const strides = intsAttribute(node, 'strides', Array(rank).fill(1));
  const dilations = intsAttribute(node, 'dilations', Array(rank).fill(1));
  const extra = intsAttribute(node, 'output_padding', Array(rank).fill(0));
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  const full = from.map(
    (size, i) => strides[i]! * (size - 1) + extra[i]! + (kernel[i]! - 1) * dilations[i]! + 1,
  );
  const same = auto.startsWith('SAME') ? from.map((size, i) => size * strides[i]!) : undefined;
  const size = intsAttribute(node, 'output_shape')?.slice(-rank) ?? same;
  if (size) {
    const cut = full.map((all, i) => Math.max(0, all - size[i]!));
    const before = cut.map((c) => (auto === 'SAME_UPPER' ? Math.floor(c / 2) : Math.ceil(c / 2)));
    const behind = cut.map((c, i) => c - before[i]!);
    return { input: size, kernel, output: from, strides, dilations, before, behind };
  }
  const pads = intsAttribute(node, 'pads', Array(2 * rank).fill(0));
  const [before, behind] = [pads.slice(0, rank), pads.slice(rank)];
  const input = full.map((all, i) => all - before[i]! - behind[i]!);
  return { input, kernel, output: from, strides, dilations, before, behind };
}

/** The table is made when it is first asked for: libtensorflow's own windows need none. */
function tabulate(g: Geometry): Windows {
  const [taps, positions] = [product(g.kernel), product(g.output)];
  let table: Int32Array | undefined;
  return {
    ...g,
    taps,
    positions,
    get table() {
      table ??= tableOf(g, taps, positions);
      return table;
    },
  };
}

function tableOf(g: Geometry, taps: number, positions: number): Int32Array {
  const table = new Int32Array(taps * positions);
  for (let k = 0; k < taps; k++) {
    const tap = unravel(k, g.kernel);
    for (let p = 0; p < positions; p++) {
      const at = unravel(p, g.output).map(
        (o, i) => o * g.strides[i]! - g.before[i]! + tap[i]! * g.dilations[i]!,
      );
      const inside = at.every((a, i) => a >= 0 && a < g.input[i]!);
      table[k * positions + p] = inside ? at.reduce((flat, a, i) => flat * g.input[i]! + a, 0) : -1;
    }
  }
  return table;
}

function unravel(flat: number, dims: readonly number[]): number[] {
  const index = new Array<number>(dims.length);
  for (let i = dims.length - 1; i >= 0; i--) {
    index[i] = flat % dims[i]!;
    flat = Math.floor(flat / dims[i]!);
  }
  return index;
}

/** For operators that have no windows to speak of otherwise. */
export function kernelShape(node: Node): number[] {
  const kernel = intsAttribute(node, 'kernel_shape');
  if (kernel) return kernel;
  throw new RetortError('ONNX_INVALID', `${node.op} "${node.name}" lacks kernel_shape`);
}
