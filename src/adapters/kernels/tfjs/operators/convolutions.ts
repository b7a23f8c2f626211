import * as tf from '@tensorflow/tfjs-core';
import { intAttribute } from '../../../../core/onnx/attributes.ts';
import type { Operator, Operators } from './operator.ts';
import { fold, product, transposedWindowsOf, unfold, type Windows, windowsOf } from './windows.ts';

/**
 * x [N, C, ...in], w [M, C/g, ...kernel] -> [N, M, ...out], in two formulations of one value: tfjs's own convolution
 * where libtensorflow computes it, and unfold + matrix product elsewhere. (tfjs's convolution gradient in plain
 * JavaScript makes 3 million multiply-adds a second, its matrix product 70.)
 */
const conv: Operator = (x, node) => {
  const [data, weights] = [x.tensor(0), x.tensor(1)];
  const windows = windowsOf(node, data.shape.slice(2), weights.shape.slice(2));
  const group = intAttribute(node, 'group', 1);
  const native = tf.getBackend() === 'tensorflow' && fitsNative(data, weights, windows, group);
  const y = (native ? nativeConv : unfoldedConv)(data, weights, windows, group);
  return x.has(2) ? tf.add(y, perChannel(x.tensor(2), y.rank)) : y;
};

/** [C] as [C, 1, ...], to meet [N, C, ...spatial]. */
export const perChannel = (v: tf.Tensor, rank: number): tf.Tensor =>
  tf.reshape(v, [v.size, ...Array<number>(rank - 2).fill(1)]);

/** [g, M/g, C/g taps] x [g, C/g taps, N positions]. */
export function unfoldedConv(x: tf.Tensor, w: tf.Tensor, windows: Windows, group: number): tf.Tensor {
  const [n, c] = x.shape as [number, number];
  const m = w.shape[0]!;
  const depth = (c / group) * windows.taps;
  const columns = tf.reshape(unfold(x, windows), [group, depth, n * windows.positions]);
  const y = tf.matMul(tf.reshape(w, [group, m / group, depth]), columns);
  const byChannel = tf.reshape(y, [m, n, windows.positions]);
  return tf.reshape(tf.transpose(byChannel, [1, 0, 2]), [n, m, ...windows.output]);
}

/** tfjs: two axes, no groups but one per channel, and no gradient through dilation. */
const fitsNative = (x: tf.Tensor, w: tf.Tensor, windows: Windows, group: number): boolean =>
  x.rank === 4 &&
  windows.dilations.every((dilation) => dilation === 1) &&
  (group === 1 || (group === x.shape[1] && w.shape[1] === 1 && windows.strides[0] === windows.strides[1]));

/** Channels last, padded first: tfjs pads alike on both sides only. */
export function nativeConv(x: tf.Tensor, w: tf.Tensor, windows: Windows, group: number): tf.Tensor {
  const last = tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
  const { before, behind } = windows;
  const pads: [number, number][] = [
    [0, 0],
    [before[0]!, behind[0]!],
    [before[1]!, behind[1]!],
    [0, 0],
  ];
  const padded = pads.flat().some((pad) => pad > 0) ? tf.pad(last, pads) : last;
  const strides = [...windows.strides] as [number, number];
  if (group === 1) {
    const filter = tf.transpose(w, [2, 3, 1, 0]) as tf.Tensor4D;
    return tf.transpose(tf.conv2d(padded, filter, strides, 'valid'), [0, 3, 1, 2]);
  }
  // [C k, 1, kh, kw]: output channel c k + j belongs to input channel c, as tfjs orders them.
  const [m, , kh, kw] = w.shape as [number, number, number, number];
  const filter = tf.transpose(tf.reshape(w, [group, m / group, kh, kw]), [2, 3, 0, 1]) as tf.Tensor4D;
  return tf.transpose(tf.depthwiseConv2d(padded, filter, strides, 'valid'), [0, 3, 1, 2]);
}

/**
 * x [N, C, ...in], w [C, M/g, ...kernel] -> [N, M, ...out]: the adjoint of the convolution that reads `out` and makes
 * `in`, so its windows are that one's.
 */
const convTranspose: Operator = (x, node) => {
  const [data, weights] = [x.tensor(0), x.tensor(1)];
  const [n, c, ...input] = data.shape as [number, number, ...number[]];
  const [, perGroup, ...kernel] = weights.shape as [number, number, ...number[]];
  const group = intAttribute(node, 'group', 1);
  const windows = transposedWindowsOf(node, input, kernel);
  const positions = product(input);
  const byGroup = tf.reshape(tf.transpose(tf.reshape(data, [n, c, positions]), [1, 0, 2]), [
    group,
    c / group,
    n * positions,
  ]);
  const w = tf.reshape(weights, [group, c / group, perGroup * windows.taps]);
  const columns = tf.reshape(tf.matMul(w, byGroup, true, false), [
    group * perGroup * windows.taps,
    n * positions,
  ]);
  const y = fold(columns, windows, [n, group * perGroup, ...windows.input]);
  return x.has(2) ? tf.add(y, perChannel(x.tensor(2), y.rank)) : y;
};

export const convolutions: Operators = { Conv: conv, ConvTranspose: convTranspose };
