import * as tf from '@tensorflow/tfjs-core';
import { executeTyped } from './execute.ts';

type Dtype = 'float32' | 'int32' | 'bool';

/**
 * tf.gather in place of tfjs-node's, which looks at every index on the host: that waits for all that came before, and
 * keeps a training step from being one graph. libtensorflow checks the indices itself.
 */
export const gather = {
  register(): void {
    tf.unregisterKernel(tf.GatherV2, 'tensorflow');
    tf.registerKernel({
      kernelName: tf.GatherV2,
      backendName: 'tensorflow',
      kernelFunc: ({ inputs, attrs }) => {
        const { x, indices } = inputs as { readonly x: tf.Tensor; readonly indices: tf.Tensor };
        const { axis, batchDims } = attrs as unknown as tf.GatherV2Attrs;
        const attributes = {
          Tparams: { dtype: x.dtype as Dtype },
          Tindices: { dtype: indices.dtype as Dtype },
          Taxis: { dtype: 'int32' },
          batch_dims: { int: batchDims },
        } as const;
        return tf.tidy(
          () => executeTyped('GatherV2', [x, indices, tf.scalar(axis, 'int32')], attributes, 1)[0]!,
        );
      },
    });
  },
};
