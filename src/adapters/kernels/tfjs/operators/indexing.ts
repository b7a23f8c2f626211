import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, stringAttribute } from '../../../../core/onnx/attributes.ts';
import { RetortError } from '../../../../errors.ts';
import {
  fromFront,
  type Inputs,
  lastAxes,
  type Node,
  type Operator,
  type Operators,
  untaped,
} from './operator.ts';
import { addRows, counted, fromStart, replaceRows, takeRows, whole } from './rows.ts';
import { product } from './windows.ts';

/** Operators that read or write where indices say. They count in rows of a matrix: see rows.ts. */

/** Row-major: how far apart the neighbours along each axis lie. */
const strides = (dims: readonly number[]): number[] => dims.map((_, i) => product(dims.slice(i + 1)));

/** Where every element of `index` (as many axes as `dims`) points to, as flat positions. */
function elementsAt(index: tf.Tensor, dims: readonly number[], axis: number): tf.Tensor {
  const pitch = strides(dims);
  return counted((given) => {
    const along = tf.mul(fromStart(given, whole([dims[axis]!], [])), whole([pitch[axis]!], []));
    const others = given.shape.map((dim, i) => {
      const steps = Array.from({ length: dim }, (_, k) => (i === axis ? 0 : k * pitch[i]!));
      return whole(
        steps,
        given.shape.map((_, j) => (j === i ? dim : 1)),
      );
    });
    return tf.reshape(
      others.reduce((sum, each) => tf.add(sum, each), along),
      [given.size],
    );
  }, index);
}

/** Where the tuples in the last axis of `index` point to, as rows of `dims` behind the batch and the tuple. */
function tuplesAt(index: tf.Tensor, dims: readonly number[], batch: number): tf.Tensor {
  const depth = index.shape.at(-1)!;
  const indexed = dims.slice(batch, batch + depth);
  const entries = product(dims.slice(0, batch));
  const starts = Array.from({ length: entries }, (_, k) => k * product(indexed));
  return counted((given) => {
    const steps = tf.mul(fromStart(given, whole(indexed, [depth])), whole(strides(indexed), [depth]));
    const within = tf.reshape(tf.sum(steps, -1), [entries, given.size / depth / entries]);
    return tf.reshape(tf.add(within, whole(starts, [entries, 1])), [given.size / depth]);
  }, index);
}

const column = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [x.size, 1]);

const gatherElements: Operator = (x, node) => {
  const [value, index] = [x.tensor(0), x.tensor(1)];
  const at = elementsAt(index, value.shape, fromFront(intAttribute(node, 'axis', 0), value.rank));
  return tf.reshape(takeRows(column(value), at), index.shape);
};

const gatherNd: Operator = (x, node) => {
  const [value, index] = [x.tensor(0), x.tensor(1)];
  const batch = intAttribute(node, 'batch_dims', 0);
  const inner = value.shape.slice(batch + index.shape.at(-1)!);
  const rows = tf.reshape(value, [value.size / product(inner), product(inner)]);
  return tf.reshape(takeRows(rows, tuplesAt(index, value.shape, batch)), [
    ...index.shape.slice(0, -1),
    ...inner,
  ]);
};

/** Rows of `value` [rows, inner] replaced, or added to, by `updates` [n, inner]. */
function scattered(node: Node, value: tf.Tensor, updates: tf.Tensor, at: tf.Tensor): tf.Tensor {
  const reduction = stringAttribute(node, 'reduction', 'none');
  if (reduction === 'add') return tf.add(value, addRows(updates, at, value.shape[0]!));
  if (reduction === 'none') return replaceRows(value, updates, at);
  throw new RetortError('TRAIN_UNSUPPORTED', `${node.op} "${node.name}" has reduction ${reduction}`, {
    hint: 'Use the reductions none or add.',
  });
}

const scatterElements: Operator = (x, node) => {
  const [value, index, updates] = [x.tensor(0), x.tensor(1), x.tensor(2)];
  const at = elementsAt(index, value.shape, fromFront(intAttribute(node, 'axis', 0), value.rank));
  return tf.reshape(scattered(node, column(value), column(updates), at), value.shape);
};

const scatterNd: Operator = (x, node) => {
  const [value, index, updates] = [x.tensor(0), x.tensor(1), x.tensor(2)];
  const inner = product(value.shape.slice(index.shape.at(-1)!));
  const [rows, given] = [value, updates].map((each) => tf.reshape(each, [each.size / inner, inner]));
  return tf.reshape(scattered(node, rows!, given!, tuplesAt(index, value.shape, 0)), value.shape);
};

/** The k largest (or smallest) along an axis, in order, and where they are; of equals the first comes first. */
const topK: Operator = (x, node) => {
  const value = x.tensor(0);
  const { perm, back, straight } = lastAxes(value.rank, [
    fromFront(intAttribute(node, 'axis', -1), value.rank),
  ]);
  const moved = straight ? value : tf.transpose(value, perm);
  const [k] = x.numbers(1)!;
  const largest = intAttribute(node, 'largest', 1) === 1;
  const index = untaped((v) => tf.topk(largest ? v : tf.neg(v), k).indices, moved);
  const at = elementsAt(index, moved.shape, moved.rank - 1);
  const made = [tf.reshape(takeRows(column(moved), at), index.shape), index];
  return straight ? made : made.map((each) => tf.transpose(each, back));
};

/** y = x with the first lengths[n] steps of each sequence reversed. */
const reverseSequence: Operator = (x: Inputs, node: Node) => {
  const [value, lengths] = [x.tensor(0), x.tensor(1)];
  const [batch, time] = [intAttribute(node, 'batch_axis', 1), intAttribute(node, 'time_axis', 0)];
  const [steps, inner] = [value.shape[time]!, value.size / value.shape[batch]! / value.shape[time]!];
  const rest = value.shape.map((_, i) => i).filter((i) => i !== batch && i !== time);
  const order = [batch, time, ...rest];
  const moved = tf.transpose(value, order);
  const at = counted((given) => {
    const n = given.size;
    const step = whole([...Array(steps).keys()], [1, steps]);
    const length = tf.reshape(given, [n, 1]);
    const from = tf.where(
      tf.less(step, length),
      tf.sub(tf.sub(length, step), whole([1], [])),
      tf.add(step, tf.zerosLike(length)),
    );
    return tf.reshape(
      tf.add(
        from,
        whole(
          Array.from({ length: n }, (_, k) => k * steps),
          [n, 1],
        ),
      ),
      [n * steps],
    );
  }, lengths);
  const taken = takeRows(tf.reshape(moved, [value.shape[batch]! * steps, inner]), at);
  return tf.transpose(
    tf.reshape(taken, moved.shape),
    order.map((_, i) => order.indexOf(i)),
  );
};

export const indexing: Operators = {
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ReverseSequence: reverseSequence,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  TopK: topK,
};
