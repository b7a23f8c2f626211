import * as tf from '@tensorflow/tfjs-core';

/** `first` is ONNX's layout, [N, C, ...spatial]; `last` has channels last, [N, ...spatial, C], as libtensorflow's fast kernels. */
export type Layout = 'first' | 'last';

/**
 * A value on its way through the graph. It stays in the layout it was made in; the other is made once, when an operator
 * asks for it. So a chain of convolutions and what lies between them never leaves `last`.
 */
export class Laid {
  readonly made: Layout;
  /** In ONNX's layout, whatever the layout it was made in. */
  readonly shape: readonly number[];
  readonly #in: Partial<Record<Layout, tf.Tensor>>;

  constructor(value: tf.Tensor, made: Layout = 'first') {
    this.made = value.rank < 3 ? 'first' : made;
    this.shape = made === 'first' ? value.shape : permuted(value.shape, toFirst(value.rank));
    this.#in = { [this.made]: value };
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The value in the layout it was made in. */
  get own(): tf.Tensor {
    return this.in(this.made);
  }

  in(layout: Layout): tf.Tensor {
    this.#in[layout] ??= moved(this.own, layout === 'last' ? toLast(this.rank) : toFirst(this.rank));
    return this.#in[layout];
  }
}

/** Where axis `axis` of ONNX's layout lies. */
export function axisIn(layout: Layout, axis: number, rank: number): number {
  return layout === 'first' ? axis : toLast(rank).indexOf(axis);
}

/** The layout several values should meet in: channels last if one of them was made so. */
export const sharedLayout = (values: readonly Laid[]): Layout =>
  values.some(({ made }) => made === 'last') ? 'last' : 'first';

/**
 * Values that are to be broadcast against each other, in one layout. Channels last, shorter ones first get the leading
 * axes that broadcasting gives them; scalars meet everything as they are.
 */
export function aligned(values: readonly Laid[]): { readonly layout: Layout; readonly tensors: tf.Tensor[] } {
  const rank = Math.max(...values.map((value) => value.rank));
  const layout = sharedLayout(values.filter((value) => value.rank === rank));
  if (layout === 'first') return { layout, tensors: values.map((value) => value.in('first')) };
  const whole = (value: Laid): tf.Tensor => {
    if (value.rank === rank) return value.in('last');
    const flat = value.in('first');
    if (value.rank === 0) return flat;
    return new Laid(tf.reshape(flat, [...Array<number>(rank - value.rank).fill(1), ...value.shape])).in(
      'last',
    );
  };
  return { layout, tensors: values.map(whole) };
}

/** Axis i of the result is axis perm[i] of ONNX's layout. */
export const toLast = (rank: number): number[] => {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return rank < 3 ? axes : [0, ...axes.slice(2), 1];
};

export const toFirst = (rank: number): number[] => {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return rank < 3 ? axes : [0, rank - 1, ...axes.slice(1, -1)];
};

const permuted = (shape: readonly number[], perm: readonly number[]): number[] =>
  perm.map((axis) => shape[axis]!);

/** tf.transpose, for nothing where no element moves. */
function moved(value: tf.Tensor, perm: number[]): tf.Tensor {
  const order = perm.filter((axis) => value.shape[axis] !== 1);
  const straight = order.every((axis, i) => i === 0 || order[i - 1]! < axis);
  if (perm.every((axis, i) => axis === i)) return value;
  return straight ? tf.reshape(value, permuted(value.shape, perm)) : tf.transpose(value, perm);
}
