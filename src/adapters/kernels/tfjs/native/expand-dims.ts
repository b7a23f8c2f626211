import * as tf from '@tensorflow/tfjs-core';

/** tf.expandDims in place of tfjs-node's, which names no type: no graph takes that. Nothing but the shape changes. */
export const expandDims = {
  register(): void {
    tf.unregisterKernel(tf.ExpandDims, 'tensorflow');
    tf.registerKernel({
      kernelName: tf.ExpandDims,
      backendName: 'tensorflow',
      kernelFunc: ({ inputs, attrs }) => {
        const { input } = inputs as { readonly input: tf.Tensor };
        const { dim } = attrs as unknown as tf.ExpandDimsAttrs;
        const shape = [...input.shape];
        shape.splice(dim < 0 ? dim + input.rank + 1 : dim, 0, 1);
        return tf.reshape(input, shape);
      },
    });
  },
};
