import * as tf from '@tensorflow/tfjs-core';
import { Laid } from '../layout.ts';
import { type ConvolutionOptions, convolution } from '../native/convolution.ts';
import { reshape } from '../reshape.ts';
import { byGroups } from './by-groups.ts';
import { type Frame, framed, framing } from './native-windows.ts';
import { product, type Windows } from './windows.ts';

/** Convolutions as libtensorflow computes them, channels last. Every step is on the tape and has a gradient. */

/** x [N, C, ...in], w [M, C/g, ...kernel] -> [N, M, ...out]. */
export function nativeConv(x: Laid, w: tf.Tensor, windows: Windows, group: number): Laid {
  const frame = framed(windows);
  const value = reshape(x.in('last'), [x.shape[0]!, ...frame.input, x.shape[1]!]);
  const filter = reshape(w, [w.shape[0]!, w.shape[1]!, ...frame.kernel]);
  const y = byGroups(value, filter, group, frame, dilated);
  return new Laid(reshape(y, [x.shape[0]!, ...windows.output, w.shape[0]!]), 'last');
}

/** A dilated convolution is a plain one on each of the grids its taps fall on, here laid into the batch. */
function dilated(x: tf.Tensor, w: tf.Tensor, frame: Frame, depthwise: boolean): tf.Tensor {
  if (frame.dilations.every((dilation) => dilation === 1)) return plain(x, w, frame, depthwise);
  const { dilations, before, behind, input, kernel, strides, output } = frame;
  const padded = input.map((size, i) => size + before[i]! + behind[i]!);
  const extra = padded.map((size, i) => (dilations[i]! - (size % dilations[i]!)) % dilations[i]!);
  const grids = tf.spaceToBatchND(
    x,
    [...dilations],
    before.map((pad, i) => [pad, behind[i]! + extra[i]!]),
  );
  const size = padded.map((whole, i) => (whole + extra[i]!) / dilations[i]!);
  const none = input.map(() => 0);
  const once = input.map(() => 1);
  const inner = { ...frame, input: size, before: none, behind: none, dilations: once, strides: once };
  const reach = size.map((each, i) => each - kernel[i]! + 1);
  const y = plain(grids, w, { ...inner, output: reach }, depthwise);
  const whole = tf.batchToSpaceND(
    y,
    [...dilations],
    extra.map((each) => [0, each]),
  );
  return strides.reduce<tf.Tensor>(
    (v, stride, i) => (stride === 1 ? v : everyNth(v, i + 1, stride, output[i]!)),
    whole,
  );
}

const everyNth = (x: tf.Tensor, axis: number, stride: number, count: number): tf.Tensor =>
  tf.gather(
    x,
    tf.tensor1d(
      Array.from({ length: count }, (_, i) => i * stride),
      'int32',
    ),
    axis,
  );

function plain(x: tf.Tensor, w: tf.Tensor, frame: Frame, depthwise: boolean): tf.Tensor {
  const { padding, pads } = framing(frame);
  const options: ConvolutionOptions = { depthwise, strides: frame.strides, padding };
  return convolution.run(pads ? tf.pad(x, pads) : x, filterOf(w, depthwise), options);
}

/** x [N, C, ...out], w [C, M/g, ...kernel] -> [N, M, ...in], the adjoint of the convolution whose windows are given. */
export function nativeConvTranspose(x: Laid, w: tf.Tensor, windows: Windows, group: number): Laid {
  const frame = framed(windows);
  const channels = w.shape[1]! * group;
  const value = reshape(x.in('last'), [x.shape[0]!, ...frame.output, x.shape[1]!]);
  const filter = reshape(w, [w.shape[0]!, w.shape[1]!, ...frame.kernel]);
  const y = byGroups(
    value,
    filter,
    group,
    frame,
    (part, weights, { input, strides, before, behind }, depthwise) => {
      const { padding } = framing(frame);
      const size = padding === 'SAME' ? input : input.map((each, i) => each + before[i]! + behind[i]!);
      // The part may be the whole or one group of it.
      const groups = (group * part.shape.at(-1)!) / x.shape[1]!;
      const inside = depthwise ? weights.shape[0]! : weights.shape[1]! * groups;
      const shape = [part.shape[0]!, ...size, inside];
      const whole = convolution.runTransposed(part, filterOf(weights, depthwise), {
        depthwise,
        strides,
        padding,
        shape,
      });
      return product(size) === product(input)
        ? whole
        : tf.slice(whole, [0, ...before, 0], [part.shape[0]!, ...input, inside]);
    },
  );
  return new Laid(reshape(y, [x.shape[0]!, ...windows.input, channels]), 'last');
}

/** ONNX's [M, C/g, ...kernel] as [...kernel, C/g, M], or as [...kernel, C, M/C] where every channel has its own. */
function filterOf(w: tf.Tensor, depthwise: boolean): tf.Tensor {
  const spatial = w.shape.slice(2).map((_, i) => i + 2);
  return depthwise ? tf.transpose(w, [...spatial, 0, 1]) : tf.transpose(w, [...spatial, 1, 0]);
}
