import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, intsAttribute } from '../../../../core/onnx/attributes.ts';
import { axisIn, Laid } from '../layout.ts';
import {
  each,
  fromFront,
  type Inputs,
  lastAxes,
  type Node,
  type Operator,
  type Operators,
  untaped,
} from './operator.ts';

type Reduce = (x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor;

/**
 * Axes are input 1 since opset 18 (ReduceSum: 13), an attribute before; none means all, or nothing where so asked.
 * `ordered`: the result depends on the order of the elements.
 */
const reduction =
  (reduce: Reduce, ordered = false): Operator =>
  (x, node) => {
    const value = x.laid(0);
    const given = x.numbers(1) ?? intsAttribute(node, 'axes') ?? [];
    const none = given.length === 0 && intAttribute(node, 'noop_with_empty_axes', 0) === 1;
    const all = value.shape.map((_, i) => i);
    const axes =
      given.length === 0 && !none
        ? all
        : given.map((axis) => fromFront(axis, value.rank)).sort((a, b) => a - b);
    const keep = intAttribute(node, 'keepdims', 1) === 1;
    // Which element comes first is asked in ONNX's layout.
    const mixed = ordered && axes.includes(1) && axes.some((axis) => axis > 1);
    const layout = (keep || keepsOrder(axes, value.rank)) && !mixed ? value.made : 'first';
    const places = axes.map((axis) => axisIn(layout, axis, value.rank)).sort((a, b) => a - b);
    return new Laid(reduce(value.in(layout), places, keep), keep ? layout : 'first');
  };

/** Whether what is left without `axes` stands in the same order in both layouts. */
const keepsOrder = (axes: readonly number[], rank: number): boolean => {
  const left = (axis: number) => !axes.includes(axis);
  return !left(1) || !Array.from({ length: rank }, (_, i) => i).some((axis) => axis > 1 && left(axis));
};

/** Reduces axes that lie together as the columns of a matrix, [rows, columns] to [rows, 1]. */
const overColumns =
  (reduce: (rows: tf.Tensor) => tf.Tensor): Reduce =>
  (x, axes, keep) => {
    const { perm, straight } = lastAxes(x.rank, axes);
    const moved = straight ? x : tf.transpose(x, perm);
    const count = axes.reduce((n, axis) => n * x.shape[axis]!, 1);
    const y = reduce(tf.reshape(moved, [x.size / count, count]));
    const shape = x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
    return tf.reshape(y, keep ? shape : shape.filter((_, i) => !axes.includes(i)));
  };

/**
 * Largest or smallest element. tfjs gives the gradient to every element that reaches it; here only the first in
 * row-major order takes it: the one where the running count of hits is 1.
 */
const firstExtreme = (extreme: typeof tf.max): Reduce =>
  overColumns((rows) =>
    tf.customGrad((...args) => {
      const [x, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
      const y = extreme(x, 1, true);
      save([x, y]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const hit = tf.cast(tf.equal(saved[0]!, saved[1]!), 'float32');
        return tf.mul(tf.mul(dy, hit), tf.cast(tf.equal(tf.cumsum(hit, 1), 1), 'float32'));
      };
      return { value: y, gradFunc };
    })(rows),
  );

/** d prod / dx_i = product of the others: those before it times those behind it, so that a zero does no harm. */
const product: Reduce = overColumns((rows) =>
  tf.customGrad((...args) => {
    const [x, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([x]);
    const gradFunc = (dy: tf.Tensor, [kept]: tf.Tensor[]) =>
      tf.mul(dy, tf.mul(tf.cumprod(kept!, 1, true, false), tf.cumprod(kept!, 1, true, true)));
    return { value: tf.prod(x, 1, true), gradFunc };
  })(rows),
);

/** Along one axis; tfjs has both softmaxes along the last one only. */
const alongAxis =
  (f: (x: tf.Tensor) => tf.Tensor): Operator =>
  (x, node) => {
    const value = x.laid(0);
    const axis = fromFront(intAttribute(node, 'axis', -1), value.rank);
    const { perm, back, straight } = lastAxes(value.rank, [axisIn(value.made, axis, value.rank)]);
    return each(value, (v) => (straight ? f(v) : tf.transpose(f(tf.transpose(v, perm)), back)));
  };

const arg =
  (f: (x: tf.Tensor, axis: number) => tf.Tensor): Operator =>
  (x: Inputs, node: Node) => {
    const value = x.tensor(0);
    const axis = fromFront(intAttribute(node, 'axis', 0), value.rank);
    const last = intAttribute(node, 'select_last_index', 0) === 1;
    const keep = intAttribute(node, 'keepdims', 1) === 1;
    const index = (v: tf.Tensor): tf.Tensor =>
      last ? tf.sub(value.shape[axis]! - 1, f(tf.reverse(v, axis), axis)) : f(v, axis);
    return untaped((v) => (keep ? tf.expandDims(index(v), axis) : index(v)), value);
  };

/** Sums of all before each element, that one included unless asked otherwise. tfjs's own gradient mixes up axes. */
const cumSum: Operator = (x, node) => {
  const value = x.laid(0);
  const axis = axisIn(value.made, fromFront(x.numbers(1)![0]!, value.rank), value.rank);
  const [exclusive, reverse] = ['exclusive', 'reverse'].map((name) => intAttribute(node, name, 0) === 1);
  return each(value, (given) =>
    tf.customGrad((v) => ({
      value: tf.cumsum(v as tf.Tensor, axis, exclusive, reverse),
      gradFunc: (dy: tf.Tensor) => tf.cumsum(dy, axis, exclusive, !reverse),
    }))(given),
  );
};

/** The first of the largest of each channel takes the gradient. */
const globalMax: Operator = (x) => {
  const value = x.tensor(0);
  return firstExtreme(tf.max)(value, value.shape.map((_, i) => i).slice(2), true);
};

export const reductions: Operators = {
  ArgMax: arg(tf.argMax),
  ArgMin: arg(tf.argMin),
  CumSum: cumSum,
  GlobalMaxPool: globalMax,
  LogSoftmax: alongAxis((x) => tf.logSoftmax(x)),
  ReduceL1: reduction((x, axes, keep) => tf.sum(tf.mul(x, untaped(tf.sign, x)), axes, keep)),
  ReduceL2: reduction((x, axes, keep) => tf.sqrt(tf.sum(tf.square(x), axes, keep))),
  ReduceLogSum: reduction((x, axes, keep) => tf.log(tf.sum(x, axes, keep))),
  ReduceLogSumExp: reduction((x, axes, keep) => tf.logSumExp(x, axes, keep)),
  ReduceMax: reduction(firstExtreme(tf.max), true),
  ReduceMean: reduction((x, axes, keep) => tf.mean(x, axes, keep)),
  ReduceMin: reduction(firstExtreme(tf.min), true),
  ReduceProd: reduction(product),
  ReduceSum: reduction((x, axes, keep) => tf.sum(x, axes, keep)),
  ReduceSumSquare: reduction((x, axes, keep) => tf.sum(tf.square(x), axes, keep)),
  Softmax: alongAxis((x) => tf.softmax(x)),
};
