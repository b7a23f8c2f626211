import * as tf from '@tensorflow/tfjs-core';
import { floatAttribute, intAttribute } from '../../../../core/onnx/attributes.ts';
import { dtypeOfCode } from '../../../../core/onnx/dtype.ts';
import { RetortError } from '../../../../errors.ts';
import { isNative } from '../backend.ts';
import { clip as clipKernel } from '../native/clip.ts';
import { relu } from '../native/relu.ts';
import { tfType } from '../values.ts';
import {
  broadcast,
  each,
  laids,
  type Node,
  type Operator,
  type Operators,
  sharedShape,
  together,
  untaped,
} from './operator.ts';

const unary =
  (f: (x: tf.Tensor) => tf.Tensor): Operator =>
  (x) =>
    each(x.laid(0), f);

const binary =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Operator =>
  (x) =>
    together([x.laid(0), x.laid(1)], ([a, b]) => f(a!, b!));

/** Truth values and steps: no gradient. */
const stopped =
  (f: (...x: tf.Tensor[]) => tf.Tensor): Operator =>
  (x) =>
    together(laids(x), (values) => untaped(f, ...values));

/** Any number of inputs, folded from the left. */
const folded =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Operator =>
  (x) =>
    together(laids(x), (values) => values.reduce((a, b) => f(a, b)));

/** tfjs does not sum the gradient of Maximum and Minimum back to a broadcast input, so both are broadcast first. */
const sameShapes =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const shape = sharedShape([a.shape, b.shape]);
    return f(broadcast(a, shape), broadcast(b, shape));
  };

/** ONNX integer division truncates; tfjs floors. */
const divide = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
  if (a.dtype === 'float32') return tf.div(a, b);
  const floor = tf.floorDiv(a, b);
  const rest = tf.sub(a, tf.mul(floor, b));
  const up = tf.logicalAnd(tf.notEqual(rest, 0), tf.notEqual(tf.less(a, 0), tf.less(b, 0)));
  return tf.add(floor, tf.cast(up, 'int32'));
};

/** a - b q with q = a / b rounded towards zero (fmod), or down, as integers have it without fmod. */
const mod = (a: tf.Tensor, b: tf.Tensor, node: Node): tf.Tensor => {
  if (a.dtype !== 'float32') {
    return untaped(
      (v, w) => (intAttribute(node, 'fmod', 0) ? tf.sub(v, tf.mul(divide(v, w), w)) : tf.mod(v, w)),
      a,
      b,
    );
  }
  const turns = untaped(
    (v, w) => {
      const q = tf.div(v, w);
      return tf.mul(tf.sign(q), tf.floor(tf.abs(q)));
    },
    a,
    b,
  );
  return tf.sub(a, tf.mul(b, turns));
};

const positive = (x: tf.Tensor): tf.Tensor => untaped((v) => tf.greater(v, 0), x);

/** x where x > 0, else `other`. */
const above = (x: tf.Tensor, other: tf.Tensor): tf.Tensor => tf.where(positive(x), x, other);

/** min(max(x, low), high); a bound takes the gradient where x is at it or beyond. Not-a-number stays. */
function clipped(x: tf.Tensor, low: tf.Tensor | undefined, high: tf.Tensor | undefined): tf.Tensor {
  const raised = low ? tf.where(untaped(tf.lessEqual, x, low), low, x) : x;
  return high ? tf.where(untaped(tf.greaterEqual, raised, high), high, raised) : raised;
}

/** The same where the bounds are known numbers, low < high. */
const clippedTo = (x: tf.Tensor, low: number, high: number): tf.Tensor =>
  isNative() ? clipKernel.run({ x }, { low, high })[0]! : clipped(x, tf.scalar(low), tf.scalar(high));

const clip: Operator = (x) => {
  const bounds = [1, 2].filter((i) => x.has(i));
  const [low = -Infinity] = x.constant(1) ? x.numbers(1)! : [];
  const [high = Infinity] = x.constant(2) ? x.numbers(2)! : [];
  if (bounds.every((i) => x.constant(i)) && x.laid(0).own.dtype === 'float32' && low < high) {
    return each(x.laid(0), (v) => clippedTo(v, low, high));
  }
  const bound = (i: number) => (x.has(i) ? x.tensor(i) : undefined);
  return each(x.laid(0), (v) => clipped(v, bound(1), bound(2)));
};

function cast(x: tf.Tensor, node: Node): tf.Tensor {
  const dtype = dtypeOfCode(intAttribute(node, 'to', 1)) ?? 'float32';
  // A half float would have to be rounded, a byte wrapped: tfjs can do neither.
  return castTo(x, tfType(dtype === 'float16' ? 'bfloat16' : dtype, `the result of Cast "${node.name}"`));
}

function castTo(x: tf.Tensor, type: tf.DataType): tf.Tensor {
  if (type === x.dtype) return tf.clone(x);
  if (type === 'float32') return x.dtype === 'bool' || x.dtype === 'int32' ? tf.cast(x, type) : x;
  return untaped((v) => (type === 'bool' ? tf.notEqual(v, 0) : tf.cast(v, type)), x);
}

/** Nothing outside of training; in training a Program brings its own noise, so the node is gone by then. */
const dropout: Operator = (x, node) => {
  const [ratio = 0.5] = x.numbers(1) ?? [];
  if (x.numbers(2)?.[0] && ratio > 0) {
    throw new RetortError('TRAIN_UNSUPPORTED', `Dropout "${node.name}" draws its own noise`, {
      hint: 'Programs declare their noise as an input.',
    });
  }
  const value = x.laid(0);
  return [value, each(value, (v) => tf.cast(tf.ones(v.shape), 'bool'))];
};

const hardSigmoid = (x: tf.Tensor, alpha: number, beta: number): tf.Tensor =>
  clippedTo(tf.add(tf.mul(x, alpha), beta), 0, 1);

/** x tanh(softplus(x)) and its like: softplus without overflow. */
const softplus = (x: tf.Tensor): tf.Tensor => tf.softplus(x);

export const elementwise: Operators = {
  // d|x| = sign(x), zero at zero; tfjs has -1 there.
  Abs: unary((x) => tf.mul(x, untaped(tf.sign, x))),
  Add: binary(tf.add),
  And: stopped(tf.logicalAnd),
  Cast: (x, node) => each(x.laid(0), (v) => cast(v, node)),
  CastLike: (x) => each(x.laid(0), (v) => castTo(v, x.laid(1).own.dtype)),
  Ceil: stopped(tf.ceil),
  Clip: clip,
  Cos: unary(tf.cos),
  Div: binary(divide),
  Dropout: dropout,
  Elu: (x, node) =>
    each(x.laid(0), (v) => above(v, tf.mul(tf.expm1(tf.minimum(v, 0)), floatAttribute(node, 'alpha', 1)))),
  Equal: stopped(tf.equal),
  Erf: unary(tf.erf),
  Exp: unary(tf.exp),
  Floor: stopped(tf.floor),
  Greater: stopped(tf.greater),
  GreaterOrEqual: stopped(tf.greaterEqual),
  HardSigmoid: (x, node) =>
    each(x.laid(0), (v) =>
      hardSigmoid(v, floatAttribute(node, 'alpha', 0.2), floatAttribute(node, 'beta', 0.5)),
    ),
  HardSwish: unary((x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Identity: unary(tf.clone),
  LeakyRelu: (x, node) => each(x.laid(0), (v) => tf.leakyRelu(v, floatAttribute(node, 'alpha', 0.01))),
  Less: stopped(tf.less),
  LessOrEqual: stopped(tf.lessEqual),
  Log: unary(tf.log),
  Max: folded(sameShapes(tf.maximum)),
  Mean: (x) =>
    together(laids(x), (values) =>
      tf.div(
        values.reduce((a, b) => tf.add(a, b)),
        values.length,
      ),
    ),
  Min: folded(sameShapes(tf.minimum)),
  Mish: unary((x) => tf.mul(x, tf.tanh(softplus(x)))),
  Mod: (x, node) => together([x.laid(0), x.laid(1)], ([a, b]) => mod(a!, b!, node)),
  Mul: binary(tf.mul),
  Neg: unary(tf.neg),
  Not: stopped(tf.logicalNot),
  Or: stopped(tf.logicalOr),
  PRelu: binary((x, slope) => above(x, tf.mul(x, slope))),
  Pow: binary(tf.pow),
  Reciprocal: unary((x) => tf.div(1, x)),
  Relu: unary((x) => (isNative() && x.dtype === 'float32' ? relu.run({ x }, {})[0]! : tf.relu(x))),
  Round: stopped(tf.round),
  Sigmoid: unary(tf.sigmoid),
  Sign: stopped(tf.sign),
  Sin: unary(tf.sin),
  Softplus: unary(softplus),
  Sqrt: unary(tf.sqrt),
  Sub: binary(tf.sub),
  Sum: folded(tf.add),
  Tanh: unary(tf.tanh),
  Where: (x) =>
    together(laids(x), (values) => {
      const shape = sharedShape(values.map((value) => value.shape));
      const [condition, a, b] = values.map((value) => broadcast(value, shape));
      return tf.where(condition!, a!, b!);
    }),
  Xor: stopped(tf.logicalXor),
};
