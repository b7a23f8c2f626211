import * as tf from '@tensorflow/tfjs-core';
import { isNative } from '../backend.ts';
import { untaped } from './operator.ts';

/**
 * Rows of a matrix taken and put by number, each the other's gradient. Everything that gathers or scatters is one of
 * these once its indices are counted in rows; nothing of it leaves the backend. `at` [n] is int32 and not negative.
 */

type Adjoint = (dy: tf.Tensor, at: tf.Tensor1D) => tf.Tensor;

/** A linear map of x, given with its adjoint; `at` is kept for it. */
function linear(x: tf.Tensor, at: tf.Tensor, map: Adjoint, adjoint: Adjoint): tf.Tensor {
  return tf.customGrad((...args) => {
    const [v, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([at]);
    const gradFunc = (dy: tf.Tensor, [kept]: tf.Tensor[]) => adjoint(dy, kept as tf.Tensor1D);
    return { value: map(v, at as tf.Tensor1D), gradFunc };
  })(x);
}

const take: Adjoint = (x, at) => tf.gather(x, at);

const add =
  (rows: number): Adjoint =>
  (x, at) =>
    tf.scatterND(tf.reshape(at, [at.size, 1]), x, [rows, x.shape[1]!]);

/** x [rows, inner] -> [n, inner]. */
export const takeRows = (x: tf.Tensor, at: tf.Tensor): tf.Tensor => linear(x, at, take, add(x.shape[0]!));

/** updates [n, inner] -> [rows, inner], zero but for the sums of what falls together. */
export const addRows = (updates: tf.Tensor, at: tf.Tensor, rows: number): tf.Tensor =>
  linear(updates, at, add(rows), take);

/** x [rows, inner] with rows replaced by updates [n, inner]; a row that is named twice has no defined value. */
export function replaceRows(x: tf.Tensor, updates: tf.Tensor, at: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [v, u, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([at]);
    const gradFunc = (dy: tf.Tensor, [kept]: tf.Tensor[]) => [
      replaced(dy, tf.zeros(updates.shape), kept as tf.Tensor1D),
      take(dy, kept as tf.Tensor1D),
    ];
    return { value: replaced(v, u, at as tf.Tensor1D), gradFunc };
  })(x, updates);
}

function replaced(x: tf.Tensor, updates: tf.Tensor, at: tf.Tensor1D): tf.Tensor {
  // In plain JavaScript tfjs writes into the tensor it is given.
  const own = isNative() ? x : tf.add(x, tf.scalar(0));
  return tf.tensorScatterUpdate(own, tf.reshape(at, [at.size, 1]), updates);
}

/** What `f` makes of integers, off the tape; numbers given in between become int32. */
export const counted = (f: (...x: tf.Tensor[]) => tf.Tensor, ...x: tf.Tensor[]): tf.Tensor =>
  untaped((...values) => f(...values.map((value) => tf.cast(value, 'int32'))), ...x);

/** int32 constants on the backend. */
export const whole = (values: readonly number[] | Int32Array, shape: readonly number[]): tf.Tensor =>
  tf.tensor(Int32Array.from(values), [...shape], 'int32');

/** Indices with negative ones, which count from the end of `dims` (broadcast), made positive. */
export const fromStart = (index: tf.Tensor, dims: tf.Tensor): tf.Tensor =>
  tf.where(tf.less(index, tf.scalar(0, 'int32')), tf.add(index, dims), index);
