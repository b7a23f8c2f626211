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
 * channels last. All modes and paddings. https://onnx.ai/onnx/operators/onnx__GridSample.html
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
    return { length, neighbours: neighbours(m, node, at, length) };
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

/** The pixels that a place in -1 ... 1 is made of, along one axis. */
function neighbours(m: Arithmetic, node: Node, place: string, length: number): Coordinate['neighbours'] {
  const aligned = intAttribute(node, 'align_corners', 0) === 1;
  // Aligned, -1 and 1 are the centres of the outer pixels; else their outer edges.
  const at = aligned
    ? m.mul(m.add(place, 1), (length - 1) / 2)
    : m.sub(m.mul(m.add(place, 1), length / 2), 0.5);
  const padding = stringAttribute(node, 'padding_mode', 'zeros');
  const clipped = (index: string) => m.min(m.max(index, 0), length - 1);
  return taps(m, node, at).map(([index, weight]) => {
    if (padding === 'reflection') {
      return { index: clipped(reflected(m, index, aligned ? 0 : -0.5, length)), weight };
    }
    if (padding === 'border') return { index: clipped(index), weight };
    const inside = m.mask(m.and(m.greaterOrEqual(index, 0), m.lessOrEqual(index, length - 1)));
    return { index: clipped(index), weight: weight === undefined ? inside : m.mul(weight, inside) };
  });
}

/** Pixels around a place, which may lie outside, and their weights; a lone one has none. */
function taps(m: Arithmetic, node: Node, at: string): readonly (readonly [string, string | undefined])[] {
  const mode = stringAttribute(node, 'mode', 'bilinear');
  if (mode === 'nearest') return [[m.round(at), undefined]];
  const below = m.floor(at);
  const share = m.sub(at, below);
  const rest = m.sub(1, share);
  if (mode === 'bilinear') {
    return [
      [below, rest],
      [m.add(below, 1), share],
    ];
  }
  return [
    [m.sub(below, 1), far(m, m.add(share, 1))],
    [below, near(m, share)],
    [m.add(below, 1), near(m, rest)],
    [m.add(below, 2), far(m, m.add(rest, 1))],
  ];
}

/** Keys' cubic kernel with a = -3/4, less than a pixel away: (a + 2) d^3 - (a + 3) d^2 + 1. */
const near = (m: Arithmetic, d: string): string => m.add(m.mul(m.mul(d, d), m.sub(m.mul(d, 1.25), 2.25)), 1);

/** The same further away: a (d^3 - 5 d^2 + 8 d - 4) = a (d - 1) (d - 2)^2. */
function far(m: Arithmetic, d: string): string {
  const beyond = m.sub(d, 2);
  return m.mul(m.mul(m.sub(d, 1), m.mul(beyond, beyond)), -0.75);
}

/** Mirrored at `low` and at the other end, again and again: a wave of triangles. */
function reflected(m: Arithmetic, index: string, low: number, length: number): string {
  const span = length - 1 - 2 * low;
  if (span === 0) return m.mul(index, 0);
  const from = m.sub(index, low);
  const rest = m.sub(from, m.mul(m.floor(m.div(from, 2 * span)), 2 * span));
  return m.sub(span + low, m.abs(m.sub(rest, span)));
}
