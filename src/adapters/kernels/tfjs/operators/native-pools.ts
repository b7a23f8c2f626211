import * as tf from '@tensorflow/tfjs-core';
import { Laid } from '../layout.ts';
import { maxPool } from '../native/max-pool.ts';
import { reshape } from '../reshape.ts';
import { type Frame, framed, framing } from './native-windows.ts';
import type { Windows } from './windows.ts';

/** Pools as libtensorflow computes them, channels last, one to three axes without dilation. */

/** Pools [N, H, W, C] over two axes. */
type Pool = (x: tf.Tensor, frame: Frame) => tf.Tensor;

export const nativeMaxPool = (x: Laid, windows: Windows): Laid =>
  pooled(x, windows, (value, frame) => {
    const { padding, pads } = framing(reaching(frame));
    const whole = pads ? tf.pad(value, pads, Number.NEGATIVE_INFINITY) : value;
    return maxPool.run({ x: whole }, { kernel: frame.kernel, strides: frame.strides, padding })[0]!;
  });

/** `counts`: by how many each window's sum is divided, [positions]. */
export function nativeAveragePool(x: Laid, windows: Windows, counts: Float32Array): Laid {
  const means = pooled(x, windows, (value, frame) => {
    const { before, behind, kernel, strides } = reaching(frame);
    const pads = before.map((low, i): [number, number] => [low, behind[i]!]);
    const whole = pads.flat().some((pad) => pad > 0) ? tf.pad(value, [[0, 0], ...pads, [0, 0]]) : value;
    const [size, step] = [kernel, strides].map((pair) => [...pair] as [number, number]);
    return tf.avgPool(whole as tf.Tensor4D, size!, step!, 'valid');
  });
  if (counts.every((count) => count === windows.taps)) return means;
  const factors = counts.map((count) => windows.taps / count);
  return new Laid(tf.mul(means.own, tf.tensor(factors, [1, ...windows.output, 1])), 'last');
}

/** Over three axes first the inner two, then the outer one: the first of equals stays the first. */
function pooled(x: Laid, windows: Windows, pool: Pool): Laid {
  const frame = framed(windows);
  const [n, c] = x.shape as [number, number];
  const last = x.in('last');
  const result = (y: tf.Tensor) => new Laid(reshape(y, [n, ...windows.output, c]), 'last');
  if (frame.input.length === 2) return result(pool(reshape(last, [n, ...frame.input, c]), frame));
  const [depth, ...inner] = frame.input as [number, number, number];
  const flat = pool(reshape(last, [n * depth, ...inner, c]), axesOf(frame, 1, 3));
  const columns = frame.output[1]! * frame.output[2]!;
  const outer = withColumn(axesOf(frame, 0, 1), columns);
  return result(pool(reshape(flat, [n, depth, columns, c]), outer));
}

/** With as much behind as the last window needs, which in ceil mode may be more than the declared pads. */
const reaching = (frame: Frame): Frame => ({
  ...frame,
  behind: frame.behind.map((pad, i) => {
    const end = (frame.output[i]! - 1) * frame.strides[i]! + frame.kernel[i]!;
    return Math.max(pad, end - frame.input[i]! - frame.before[i]!);
  }),
});

const axesOf = (frame: Frame, from: number, to: number): Frame =>
  mapped(frame, (list) => list.slice(from, to));

/** A second axis that windows do not reach along. */
function withColumn(frame: Frame, size: number): Frame {
  const one = mapped(frame, (list) => [...list, 1]);
  return {
    ...one,
    input: [frame.input[0]!, size],
    output: [frame.output[0]!, size],
    before: [frame.before[0]!, 0],
    behind: [frame.behind[0]!, 0],
  };
}

const mapped = (frame: Frame, change: (list: readonly number[]) => number[]): Frame => ({
  input: change(frame.input),
  kernel: change(frame.kernel),
  output: change(frame.output),
  strides: change(frame.strides),
  dilations: change(frame.dilations),
  before: change(frame.before),
  behind: change(frame.behind),
});
