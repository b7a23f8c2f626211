import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute } from '../../../../core/onnx/attributes.ts';
import { each, type Node, type Operator, type Operators, untaped } from './operator.ts';

/** Functions of one number that few networks have; the usual ones are among the elementwise operators. */

const unary =
  (f: (x: tf.Tensor, node: Node) => tf.Tensor): Operator =>
  (x, node) =>
    each(x.laid(0), (v) => f(v, node));

/** `yes` where x is above a bound, else `no`. */
const above = (x: tf.Tensor, bound: number, yes: tf.Tensor, no: tf.Tensor): tf.Tensor =>
  tf.where(
    untaped((v) => tf.greater(v, bound), x),
    yes,
    no,
  );

/** a (e^(x/b) - 1) for x <= 0, held at zero above: an overflow there would spoil the gradient. */
const dip = (x: tf.Tensor, a: number, b: number): tf.Tensor =>
  tf.mul(tf.expm1(tf.div(tf.minimum(x, 0), b)), a);

const infinite = (x: tf.Tensor, node: Node): tf.Tensor => {
  const asked = (name: string) => intAttribute(node, name, 1) !== 0;
  const high = tf.equal(x, Number.POSITIVE_INFINITY);
  const low = tf.equal(x, Number.NEGATIVE_INFINITY);
  if (asked('detect_negative')) return asked('detect_positive') ? tf.logicalOr(low, high) : low;
  return asked('detect_positive') ? high : tf.logicalAnd(high, low);
};

/** x where |x| > lambd, drawn towards zero by bias; else 0. */
const shrink = (x: tf.Tensor, node: Node): tf.Tensor => {
  const [bias, lambd] = [floatAttribute(node, 'bias', 0), floatAttribute(node, 'lambd', 0.5)];
  const none = tf.zerosLike(x);
  return above(x, lambd, tf.sub(x, bias), above(tf.neg(x), lambd, tf.add(x, bias), none));
};

export const functions: Operators = {
  Acos: unary(tf.acos),
  Acosh: unary(tf.acosh),
  Asin: unary(tf.asin),
  Asinh: unary(tf.asinh),
  Atan: unary(tf.atan),
  Atanh: unary(tf.atanh),
  Celu: unary((x, node) => {
    const alpha = floatAttribute(node, 'alpha', 1);
    return above(x, 0, x, dip(x, alpha, alpha));
  }),
  Cosh: unary(tf.cosh),
  IsInf: unary((x, node) => untaped((v) => infinite(v, node), x)),
  IsNaN: unary((x) => untaped(tf.isNaN, x)),
  Selu: unary((x, node) => {
    const gamma = floatAttribute(node, 'gamma', 1.0507010221481323);
    return tf.mul(above(x, 0, x, dip(x, floatAttribute(node, 'alpha', 1.6732631921768188), 1)), gamma);
  }),
  Shrink: unary(shrink),
  Sinh: unary(tf.sinh),
  Softsign: unary((x) => tf.div(x, tf.add(tf.mul(x, untaped(tf.sign, x)), 1))),
  Tan: unary(tf.tan),
  ThresholdedRelu: unary((x, node) => above(x, floatAttribute(node, 'alpha', 1), x, tf.zerosLike(x))),
};
