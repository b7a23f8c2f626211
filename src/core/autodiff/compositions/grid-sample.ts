import { RetortError } from '../../../errors.ts';
import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/model.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import { type Arithmetic, arithmetic } from '../emit/arithmetic.ts';
import { steps } from '../emit/scatter-add.ts';
import type { Composition } from './composition.ts';

/** One axis of x at the places that are sampled, all [N, P]. */
interface Coordinate {
  readonly length: number;
  /** Neighbours of each place: indices as floats inside the axis, and how much they weigh. */
  readonly neighbours: readonly { readonly index: string; readonly weight: string | undefined }[];
}

/**
 * x [N, C, ...sizes] at the places of a grid [N, ...out, axes], whose last axis counts the axes of x from the last one and
 * runs from -1 to 1: a weighted sum over the corners of the cell around each place, each corner a Gather of rows of x with
 * channels last. Modes bilinear and nearest, all three paddings. https://onnx.ai/onnx/operators/onnx__GridSample.html
 */
export const gridSample: Composition = (b, node) => {
  const [x, grid] = node.inputs as [string, string];
  const m = arithmetic(b, b.dtype(x));
  const [batch, channels, ...sizes] = b.dims(x) as [number, number, ...number[]];
  const out = b.dims(grid).slice(1, -1);
  const [cells, places] = [sizeOf(sizes), sizeOf(out)];
  const flat = b.op('Reshape', [grid, b.ints([batch, places, sizes.length])]);
  const coordinates = sizes.map((length, axis): Coordinate => {
    const at = b.op('Gather', [flat, b.constant(sizes.length - 1 - axis, 'int64')], { axis: 2 });
    return { length, neighbours: neighbours(m, node, inPixels(m, node, at, length), length) };
  });

  const planes = b.op('Reshape', [x, b.ints([batch, channels, cells])]);
  const last = b.op('Transpose', [planes], { perm: [0, 2, 1] });
  const rows = b.op('Reshape', [last, b.ints([batch * cells, channels])]);
  const corners = coordinates.reduce<readonly (readonly number[])[]>(
    (all, { neighbours }) => all.flatMap((head) => neighbours.map((_, i) => [...head, i])),
    [[]],
  );
  const parts = corners.map((corner) => {
    const picked = corner.map((i, axis) => coordinates[axis]!.neighbours[i]!);
    const index = picked.reduce<string | undefined>((sum, { index }, axis) => {
      const whole = m.cast(index, 'int64');
      const { length } = coordinates[axis]!;
      return sum === undefined ? whole : add(b, times(b, sum, length), whole);
    }, undefined)!;
    const found = b.op('Gather', [rows, add(b, index, steps(b, batch, cells, 0, 2))]);
    const weights = picked.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
    if (weights.length === 0) return found;
    const weight = weights.reduce((product, each) => m.mul(product, each));
    return m.mul(found, b.op('Unsqueeze', [weight, b.ints([2])]));
  });
  const sum = parts.reduce((left, right) => m.add(left, right));
  const first = b.op('Transpose', [sum], { perm: [0, 2, 1] });
  return [b.op('Reshape', [first, b.ints([batch, channels, ...out])])];
};

const add = (b: GraphBuilder, p: string, q: string): string => b.op('Add', [p, q]);
const times = (b: GraphBuilder, p: string, count: number): string =>
  b.op('Mul', [p, b.constant(count, 'int64')]);

/** From -1 ... 1 to pixels, and brought inside where the padding is not zeros. */
function inPixels(m: Arithmetic, node: Node, at: string, length: number): string {
  const aligned = intAttribute(node, 'align_corners', 0) === 1;
  // Aligned, -1 and 1 are the centres of the outer pixels; else their outer edges.
  const scaled = aligned
    ? m.mul(m.add(at, 1), (length - 1) / 2)
    : m.sub(m.mul(m.add(at, 1), length / 2), 0.5);
  const padding = stringAttribute(node, 'padding_mode', 'zeros');
  if (padding === 'zeros') return scaled;
  const inside = padding === 'reflection' ? reflected(m, scaled, aligned ? 0 : -0.5, length) : scaled;
  return m.min(m.max(inside, 0), length - 1);
}

/** Mirrored at `low` and at the other end, again and again: a wave of triangles. */
function reflected(m: Arithmetic, value: string, low: number, length: number): string {
  const span = length - 1 - 2 * low;
  if (span === 0) return m.mul(value, 0);
  const from = m.sub(value, low);
  const rest = m.sub(from, m.mul(m.floor(m.div(from, 2 * span)), 2 * span));
  return m.sub(span + low, m.abs(m.sub(rest, span)));
}

function neighbours(m: Arithmetic, node: Node, at: string, length: number): Coordinate['neighbours'] {
  const zeros = stringAttribute(node, 'padding_mode', 'zeros') === 'zeros';
  const one = (index: string, weight: string | undefined) => {
    if (!zeros) return { index: m.min(index, length - 1), weight };
    const inside = m.mask(m.and(m.greaterOrEqual(index, 0), m.lessOrEqual(index, length - 1)));
    const clipped = m.min(m.max(index, 0), length - 1);
    return { index: clipped, weight: weight === undefined ? inside : m.mul(weight, inside) };
  };
  const mode = stringAttribute(node, 'mode', 'bilinear');
  if (mode === 'nearest') return [one(m.round(at), undefined)];
  if (mode !== 'bilinear') {
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `GridSample "${node.name}": no gradient rule for mode ${mode}`,
    );
  }
  const below = m.floor(at);
  const share = m.sub(at, below);
  return [one(below, m.sub(1, share)), one(m.add(below, 1), share)];
}
