import * as tf from '@tensorflow/tfjs-core';
import { intAttribute } from '../../../../core/onnx/attributes.ts';
import { isNative } from '../backend.ts';
import { Laid } from '../layout.ts';
import { nativeConv, nativeConvTranspose } from './native-convolutions.ts';
import { each, type Inputs, type Operator, type Operators, perChannel } from './operator.ts';
import { fold, unfold } from './unfold.ts';
import { product, transposedWindowsOf, type Windows, windowsOf } from './windows.ts';

/**
 * x [N, C, ...in], w [M, C/g, ...kernel] -> [N, M, ...out], in two formulations of one value: libtensorflow's own
 * convolution, and unfold + matrix product in plain JavaScript. (tfjs's convolution gradient makes 3 million
 * multiply-adds a second there, its matrix product 70.)
 */
const conv: Operator = (x, node) => {
  const [data, weights] = [x.laid(0), x.tensor(1)];
  const windows = windowsOf(node, data.shape.slice(2), weights.shape.slice(2));
  const group = intAttribute(node, 'group', 1);
  const native = isNative() && fitsNative(windows);
  return withBias(
    x,
    native ? nativeConv(data, weights, windows, group) : unfoldedConv(data, weights, windows, group),
  );
};

const fitsNative = ({ input }: Windows): boolean => input.length >= 1 && input.length <= 3;

const withBias = (x: Inputs, y: Laid): Laid =>
  x.has(2) ? each(y, (v) => tf.add(v, perChannel(x.tensor(2), y))) : y;

/** [g, M/g, C/g taps] x [g, C/g taps, N positions]. */
export function unfoldedConv(value: Laid, w: tf.Tensor, windows: Windows, group: number): Laid {
  const x = value.in('first');
  const [n, c] = x.shape as [number, number];
  const m = w.shape[0]!;
  const depth = (c / group) * windows.taps;
  const columns = tf.reshape(unfold(x, windows), [group, depth, n * windows.positions]);
  const y = tf.matMul(tf.reshape(w, [group, m / group, depth]), columns);
  const byChannel = tf.reshape(y, [m, n, windows.positions]);
  return new Laid(tf.reshape(tf.transpose(byChannel, [1, 0, 2]), [n, m, ...windows.output]));
}

/**
 * x [N, C, ...in], w [C, M/g, ...kernel] -> [N, M, ...out]: the adjoint of the convolution that reads `out` and makes
 * `in`, so its windows are that one's.
 */
const convTranspose: Operator = (x, node) => {
  const [value, weights] = [x.laid(0), x.tensor(1)];
  const [n, c, ...input] = value.shape as [number, number, ...number[]];
  const [, perGroup, ...kernel] = weights.shape as [number, number, ...number[]];
  const group = intAttribute(node, 'group', 1);
  const windows = transposedWindowsOf(node, input, kernel);
  if (isNative() && fitsNative(windows) && isAdjoint(windows)) {
    return withBias(x, nativeConvTranspose(value, weights, windows, group));
  }
  const data = value.in('first');
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
  return withBias(x, new Laid(y));
};

/** Whether plain windows, not dilated, over the result lead back to as many positions. */
const isAdjoint = ({ input, kernel, output, strides, dilations, before, behind }: Windows): boolean =>
  input.every((size, i) => {
    const room = size + before[i]! + behind[i]! - kernel[i]!;
    return dilations[i] === 1 && Math.floor(room / strides[i]!) + 1 === output[i];
  });

export const convolutions: Operators = { Conv: conv, ConvTranspose: convTranspose };
