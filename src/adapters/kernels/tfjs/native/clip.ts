import * as tf from '@tensorflow/tfjs-core';
import { execute } from './execute.ts';
import { nativeKernel } from './native-kernel.ts';

interface ClipOptions {
  readonly low: number;
  readonly high: number;
}

/** min(max(x, low), high), low < high, slope zero at the bounds as beyond them. ReLU6 has operations of its own. */
export const clip = nativeKernel<'x', ClipOptions>({
  name: 'retort.Clip',
  inputs: ['x'],
  forward: ({ x }, { low, high }) => [
    isRelu6(low, high) ? execute('Relu6', [x]) : execute('ClipByValue', [x, tf.scalar(low), tf.scalar(high)]),
  ],
  backward: (dy, _, [y], { low, high }) => ({
    x: () => {
      if (isRelu6(low, high)) return execute('Relu6Grad', [dy, y!]);
      const inside = tf.logicalAnd(tf.greater(y!, low), tf.less(y!, high));
      return tf.mul(dy, tf.cast(inside, 'float32'));
    },
  }),
});

const isRelu6 = (low: number, high: number): boolean => low === 0 && high === 6;
