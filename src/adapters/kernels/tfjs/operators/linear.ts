import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute } from '../../../../core/onnx/attributes.ts';
import { reshape } from '../reshape.ts';
import { broadcast, type Operator, type Operators, sharedShape } from './operator.ts';

/**
 * numpy's matmul. tfjs multiplies stacks of matrices, but does not sum the gradient back over stack axes that were
 * broadcast, so these are broadcast first; a plain right-hand matrix is met by all rows at once instead.
 */
function matMul(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (a.rank === 1) return tf.squeeze(matMul(tf.expandDims(a, 0), b), [Math.max(0, b.rank - 2)]);
  if (b.rank === 1) {
    const y = matMul(a, tf.expandDims(b, 1));
    return tf.squeeze(y, [y.rank - 1]);
  }
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  if (b.rank === 2) {
    const flat = tf.matMul(reshape(a, [a.size / inner, inner]) as tf.Tensor2D, b as tf.Tensor2D);
    return reshape(flat, [...a.shape.slice(0, -1), b.shape[1]!]);
  }
  const stack = sharedShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  return tf.matMul(broadcast(a, [...stack, rows, inner]), broadcast(b, [...stack, ...b.shape.slice(-2)]));
}

/** alpha A' B' + beta C. */
const gemm: Operator = (x, node) => {
  const flag = (name: string) => intAttribute(node, name, 0) === 1;
  const scaled = (value: tf.Tensor, name: string) => {
    const factor = floatAttribute(node, name, 1);
    return factor === 1 ? value : tf.mul(value, factor);
  };
  const product = tf.matMul(x.tensor(0), x.tensor(1), flag('transA'), flag('transB'));
  const y = scaled(product, 'alpha');
  return x.has(2) ? tf.add(y, scaled(x.tensor(2), 'beta')) : y;
};

export const linear: Operators = {
  Gemm: gemm,
  MatMul: (x) => matMul(x.tensor(0), x.tensor(1)),
};
