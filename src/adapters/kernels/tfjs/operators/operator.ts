import * as tf from '@tensorflow/tfjs-core';
import type { Node } from '../../../../core/onnx/model.ts';
import { aligned, Laid } from '../layout.ts';

export type { Node };

/** The inputs of one node, as tensors on the tape or, for shapes, axes and indices, as numbers of the host. */
export interface Inputs {
  readonly length: number;
  has(i: number): boolean;
  /** Input i in ONNX's layout. */
  tensor(i: number): tf.Tensor;
  /** Input i in whatever layout it comes in. */
  laid(i: number): Laid;
  /** The value of input i as numbers; undefined where it is left out. int64 saturates, it need not fit int32. */
  numbers(i: number): number[] | undefined;
  /** Whether input i is a constant of the graph. */
  constant(i: number): boolean;
}

/** A tensor without a word about its layout is in ONNX's. */
export type Made = tf.Tensor | Laid;

/** What one ONNX operator (default domain, opset 18) is in tfjs. */
export type Operator = (x: Inputs, node: Node) => Made | readonly Made[];

export type Operators = Readonly<Record<string, Operator>>;

/** All given inputs. */
export const laids = (x: Inputs): Laid[] =>
  Array.from({ length: x.length }, (_, i) => i)
    .filter((i) => x.has(i))
    .map((i) => x.laid(i));

/** What works element by element works in any layout. */
export const each = (value: Laid, f: (x: tf.Tensor) => tf.Tensor): Laid => new Laid(f(value.own), value.made);

/** The same of several values, broadcast against each other. */
export function together(values: readonly Laid[], f: (x: tf.Tensor[]) => tf.Tensor): Laid {
  const { layout, tensors } = aligned(values);
  return new Laid(f(tensors), layout);
}

/**
 * Calls `f` off the tape: its result has no gradient. Needed where tfjs has none (it would throw, though the gradient
 * is zero) or a wrong one (Cast to an integer passes it on).
 */
export function untaped(f: (...x: tf.Tensor[]) => tf.Tensor, ...x: tf.Tensor[]): tf.Tensor {
  const shapes = x.map((each) => each.shape);
  return tf.customGrad((...args) => ({
    value: f(...(args.slice(0, x.length) as tf.Tensor[])),
    gradFunc: () => shapes.map((shape) => tf.zeros(shape)),
  }))(...x);
}

/** `axis` counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The shape all of these broadcast to. */
export const sharedShape = (shapes: readonly (readonly number[])[]): number[] => {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const dims = shapes.map((shape) => shape[i - rank + shape.length] ?? 1);
    return dims.find((dim) => dim !== 1) ?? 1;
  });
};

/** tf.broadcastTo with a gradient for every rank (tfjs stops at four); nothing where the shape is that already. */
export function broadcast(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  if (x.shape.join() === shape.join()) return x;
  const dims = [...Array<number>(shape.length - x.rank).fill(1), ...x.shape];
  const axes = dims.map((_, i) => i).filter((i) => dims[i] !== shape[i]);
  return tf.customGrad((v) => ({
    value: tf.broadcastTo(v as tf.Tensor, [...shape]),
    gradFunc: (dy: tf.Tensor) => tf.reshape(tf.sum(dy, axes), x.shape),
  }))(x);
}

/** Puts `axes` last, keeping their order; `back` undoes it. */
export function lastAxes(rank: number, axes: readonly number[]) {
  const perm = [...Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i)), ...axes];
  return { perm, back: perm.map((_, i) => perm.indexOf(i)), straight: perm.every((axis, i) => axis === i) };
}

/** [C] shaped so that it meets the channels of a value in the value's own layout. */
export const perChannel = (v: tf.Tensor, { made, rank }: Laid): tf.Tensor =>
  made === 'last' || rank === 2 ? v : tf.reshape(v, [v.size, ...Array<number>(rank - 2).fill(1)]);
