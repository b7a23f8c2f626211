import * as tf from '@tensorflow/tfjs-core';
import { convolution } from '../native/convolution.ts';
import type { Frame } from './native-windows.ts';

type Convolve = (x: tf.Tensor, w: tf.Tensor, frame: Frame, depthwise: boolean) => tf.Tensor;

/**
 * Runs a convolution of x [N, ..., C] by w [M, C/g, ...kernel] (ONNX's order, or that of its adjoint), or its parts.
 * libtensorflow knows groups over two axes, and the case of one channel to a group by a name of its own.
 */
export function byGroups(
  x: tf.Tensor,
  w: tf.Tensor,
  group: number,
  frame: Frame,
  convolve: Convolve,
): tf.Tensor {
  const { strides } = frame;
  if (group === 1) return convolve(x, w, frame, false);
  if (strides.length === 2 && w.shape[1] === 1 && strides[0] === strides[1]) {
    // Output channel c k + j belongs to input channel c, as libtensorflow orders them.
    const filter = tf.reshape(w, [group, w.shape[0]! / group, ...frame.kernel]);
    return convolve(x, filter, frame, true);
  }
  if (strides.length === 2 && groupsWork()) return convolve(x, w, frame, false);
  const filters = tf.split(w, group, 0);
  const parts = tf.split(x, group, x.rank - 1).map((part, i) => convolve(part, filters[i]!, frame, false));
  return tf.concat(parts, x.rank - 1);
}

let works: boolean | undefined;

/** Whether this libtensorflow has groups forward and backward, which depends on how it was built. */
function groupsWork(): boolean {
  works ??= tf.tidy(() => {
    const [x, w] = [tf.ones([1, 4, 4, 4]), tf.ones([3, 3, 2, 4])];
    const run = (a: tf.Tensor, b: tf.Tensor) =>
      convolution.run(a, b, { depthwise: false, strides: [1, 1], padding: 'SAME' });
    try {
      tf.grads(run)([x, w]);
      return true;
    } catch {
      return false;
    }
  });
  return works;
}
