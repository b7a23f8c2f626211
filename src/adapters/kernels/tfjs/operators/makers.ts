import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, tensorAttribute } from '../../../../core/onnx/attributes.ts';
import { dtypeOfCode } from '../../../../core/onnx/dtype.ts';
import { onnxToTf, tfType } from '../values.ts';
import { broadcast, fromFront, type Operator, type Operators, untaped } from './operator.ts';
import { fromStart, whole } from './rows.ts';

/** Operators that make tensors out of shapes and numbers, and triangles. */

const constantOfShape: Operator = (x, node) => {
  const given = tensorAttribute(node, 'value');
  const value = given ? tf.reshape(onnxToTf(given, `the value of "${node.name}"`), []) : tf.scalar(0);
  return broadcast(value, x.numbers(0)!);
};

const range: Operator = (x) => {
  const [start, limit, step] = [0, 1, 2].map((i) => x.numbers(i)![0]!) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  const values = Array.from({ length: count }, (_, i) => start + i * step);
  return tf.tensor1d(values, x.tensor(0).dtype === 'int32' ? 'int32' : 'float32');
};

/** Indices beyond the depth are off everywhere. */
const oneHot: Operator = (x, node) => {
  const [index, off, on] = [x.tensor(0), ...tf.split(x.tensor(2), 2)] as [tf.Tensor, tf.Tensor, tf.Tensor];
  const [depth] = x.numbers(1)! as [number];
  const axis = fromFront(intAttribute(node, 'axis', -1), index.rank + 1);
  const classes = Array.from({ length: index.rank + 1 }, (_, i) => (i === axis ? depth : 1));
  const hot = untaped((given) => {
    const at = fromStart(tf.cast(given, 'int32'), whole([depth], []));
    return tf.equal(tf.expandDims(at, axis), whole([...Array(depth).keys()], classes));
  }, index);
  return tf.where(hot, broadcast(on, hot.shape), broadcast(off, hot.shape));
};

const eyeLike: Operator = (x, node) => {
  const { shape, dtype } = x.tensor(0);
  const code = intAttribute(node, 'dtype');
  const type = code === undefined ? dtype : tfType(dtypeOfCode(code) ?? 'float32', `"${node.name}"`);
  return tf.cast(
    offDiagonal(shape[0]!, shape[1]!, (d) => tf.equal(d, intAttribute(node, 'k', 0))),
    type,
  );
};

/** What `f` says of column - row of every cell of a matrix. */
const offDiagonal = (rows: number, columns: number, f: (distance: tf.Tensor) => tf.Tensor): tf.Tensor =>
  f(tf.sub(whole([...Array(columns).keys()], [1, columns]), whole([...Array(rows).keys()], [rows, 1])));

/** The upper or lower triangle of x, zero elsewhere. */
const trilu: Operator = (x, node) => {
  const value = x.tensor(0);
  const [k = 0] = x.numbers(1) ?? [];
  const upper = intAttribute(node, 'upper', 1) === 1;
  const [rows, columns] = value.shape.slice(-2) as [number, number];
  const kept = offDiagonal(rows, columns, (d) => (upper ? tf.greaterEqual(d, k) : tf.lessEqual(d, k)));
  return tf.where(broadcast(kept, value.shape), value, tf.zerosLike(value));
};

export const makers: Operators = {
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  OneHot: oneHot,
  Range: range,
  Size: (x) =>
    tf.scalar(
      x.laid(0).shape.reduce((n, dim) => n * dim, 1),
      'int32',
    ),
  Trilu: trilu,
};
