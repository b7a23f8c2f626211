import * as tf from '@tensorflow/tfjs-core';

/** tf.reshape (one entry may be -1), for nothing where the shape is that already: an engine runs it like any operation. */
export function reshape(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const known = shape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
  const whole = shape.map((dim) => (dim === -1 && known > 0 ? x.size / known : dim));
  const same = x.rank === whole.length && whole.every((dim, axis) => dim === x.shape[axis]);
  return same ? x : tf.reshape(x, whole);
}
