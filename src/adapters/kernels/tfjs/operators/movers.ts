import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, intsAttribute, stringAttribute } from '../../../../core/onnx/attributes.ts';
import { RetortError } from '../../../../errors.ts';
import { axisIn, Laid, type Layout, sharedLayout, toFirst, toLast } from '../layout.ts';
import { reshape } from '../reshape.ts';
import {
  broadcast,
  fromFront,
  type Inputs,
  laids,
  type Node,
  type Operator,
  type Operators,
  sharedShape,
} from './operator.ts';

const axesOf = (x: Inputs, node: Node, rank: number): number[] | undefined =>
  (x.numbers(1) ?? intsAttribute(node, 'axes'))?.map((axis) => fromFront(axis, rank));

const reshaped: Operator = (x, node) => {
  const value = x.tensor(0);
  const keepsZero = intAttribute(node, 'allowzero', 0) === 1;
  const wanted = x.numbers(1)!.map((dim, i) => (dim === 0 && !keepsZero ? value.shape[i]! : dim));
  return reshape(value, wanted);
};

const flatten: Operator = (x, node) => {
  const value = x.tensor(0);
  const axis = fromFront(intAttribute(node, 'axis', 1), value.rank);
  const rows = value.shape.slice(0, axis).reduce((n, dim) => n * dim, 1);
  return reshape(value, [rows, value.size / rows]);
};

const unsqueeze: Operator = (x, node) => {
  const value = x.tensor(0);
  const count = (x.numbers(1) ?? intsAttribute(node, 'axes', [])).length;
  const axes = axesOf(x, node, value.rank + count)!;
  const rest = [...value.shape];
  const shape = Array.from({ length: value.rank + count }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!));
  return reshape(value, shape);
};

const squeeze: Operator = (x, node) => {
  const value = x.tensor(0);
  const axes = axesOf(x, node, value.rank);
  const gone = (dim: number, i: number) => (axes ? axes.includes(i) : dim === 1);
  return reshape(
    value,
    value.shape.filter((dim, i) => !gone(dim, i)),
  );
};

const split: Operator = (x, node) => {
  const value = x.laid(0);
  const axis = fromFront(intAttribute(node, 'axis', 0), value.rank);
  const parts = intAttribute(node, 'num_outputs', node.outputs.length);
  const dim = value.shape[axis]!;
  const size = Math.ceil(dim / parts);
  const sizes =
    x.numbers(1) ?? Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, dim - i * size)));
  if (sizes.length === 1) return value;
  const split = tf.split(value.own, sizes, axisIn(value.made, axis, value.rank));
  return split.map((part) => new Laid(part, value.made));
};

/** What is listed by ONNX's axes, listed by the axes of a layout. */
const inLayout = <T>(layout: Layout, byAxis: readonly T[]): T[] =>
  layout === 'first' ? [...byAxis] : toLast(byAxis.length).map((axis) => byAxis[axis]!);

/** Elements `indices` along an axis, in that order. */
const pick = (x: tf.Tensor, indices: readonly number[], axis: number): tf.Tensor =>
  tf.gather(x, tf.tensor1d([...indices], 'int32'), axis);

const slice: Operator = (x) => {
  const { shape, rank, made, own } = x.laid(0);
  const [starts, ends] = [x.numbers(1)!, x.numbers(2)!];
  const axes = x.numbers(3) ?? starts.map((_, i) => i);
  const steps = x.numbers(4) ?? starts.map(() => 1);
  const begin = shape.map(() => 0);
  const size = [...shape];
  const strided: { axis: number; indices: number[] }[] = [];
  axes.forEach((given, i) => {
    const axis = fromFront(given, rank);
    const [dim, step] = [shape[axis]!, steps[i]!];
    const clamp = (at: number, low: number, high: number) =>
      Math.min(high, Math.max(low, at < 0 ? at + dim : at));
    const first = step > 0 ? clamp(starts[i]!, 0, dim) : clamp(starts[i]!, 0, dim - 1);
    const end = step > 0 ? clamp(ends[i]!, 0, dim) : clamp(ends[i]!, -1, dim - 1);
    const count = Math.max(0, Math.ceil((end - first) / step));
    if (step === 1) [begin[axis], size[axis]] = [first, count];
    else
      strided.push({
        axis: axisIn(made, axis, rank),
        indices: Array.from({ length: count }, (_, k) => first + k * step),
      });
  });
  // tfjs has a gradient for slices of step one only.
  const cut = tf.slice(own, inLayout(made, begin), inLayout(made, size));
  return new Laid(
    strided.reduce((v, { axis, indices }) => pick(v, indices, axis), cut),
    made,
  );
};

/** Where index i of a padded axis reads, -1 outside in constant mode. */
const sources: Readonly<Record<string, (i: number, dim: number) => number>> = {
  edge: (i, dim) => Math.min(dim - 1, Math.max(0, i)),
  reflect: (i, dim) => {
    const period = Math.max(1, 2 * (dim - 1));
    const at = ((i % period) + period) % period;
    return at < dim ? at : period - at;
  },
  wrap: (i, dim) => ((i % dim) + dim) % dim,
};

const pad: Operator = (x, node) => {
  const value = x.laid(0);
  const { own, made } = value;
  const pads = x.numbers(1)!;
  const axes = (x.numbers(3) ?? value.shape.map((_, i) => i)).map((axis) => fromFront(axis, value.rank));
  const both = value.shape.map((): [number, number] => [0, 0]);
  axes.forEach((axis, i) => {
    both[axis] = [pads[i]!, pads[i + axes.length]!];
  });
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode === 'constant') {
    const cut = both.map(([before]) => Math.max(0, -before));
    const kept = value.shape.map((dim, i) => dim + Math.min(0, both[i]![0]) + Math.min(0, both[i]![1]));
    const cuts = both.some((pair) => Math.min(...pair) < 0);
    const inner = cuts ? tf.slice(own, inLayout(made, cut), inLayout(made, kept)) : own;
    const added = both.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
    return new Laid(tf.pad(inner, inLayout(made, added), x.numbers(2)?.[0] ?? 0), made);
  }
  const source = sources[mode];
  if (!source)
    throw new RetortError('TRAIN_UNSUPPORTED', `Pad "${node.name}" has mode ${mode}, which tfjs lacks`);
  const padded = both.reduce<tf.Tensor>((v, [before, after], axis) => {
    if (before === 0 && after === 0) return v;
    const dim = value.shape[axis]!;
    const indices = Array.from({ length: dim + before + after }, (_, i) => source(i - before, dim));
    return pick(v, indices, axisIn(made, axis, value.rank));
  }, own);
  return new Laid(padded, made);
};

/** Indices count from the end where negative. Their gradient is a scatter-add. */
const gather: Operator = (x, node) => {
  const value = x.tensor(0);
  const axis = fromFront(intAttribute(node, 'axis', 0), value.rank);
  // tfjs takes a plain number for a float32.
  const [given, dim] = [tf.cast(x.tensor(1), 'int32'), tf.scalar(value.shape[axis]!, 'int32')];
  const at = tf.where(tf.less(given, tf.scalar(0, 'int32')), tf.add(given, dim), given);
  // tfjs gives the indices a gradient of integers, and refuses it where they were computed from something trained.
  return tf.customGrad((...args) => {
    const [v, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([v, at]);
    const { gradFunc } = tf.getGradient(tf.GatherV2);
    return {
      value: tf.gather(v, at, axis),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradFunc(dy, saved, { axis, batchDims: 0 }).x!(),
    };
  })(value);
};

const depthToSpace: Operator = (x, node) => {
  const value = x.tensor(0);
  const [n, c, h, w] = value.shape as [number, number, number, number];
  const s = intAttribute(node, 'blocksize', 1);
  const inner = c / (s * s);
  const columnsFirst = stringAttribute(node, 'mode', 'DCR') === 'CRD';
  // tfjs transposes six axes at most: batch, and rows with channels, are kept together as far as they can be.
  const split = reshape(value, columnsFirst ? [n * inner, s, s, h, w] : [n, s, s, inner, h * w]);
  const moved = columnsFirst
    ? tf.transpose(split, [0, 3, 1, 4, 2])
    : tf.transpose(reshape(tf.transpose(split, [0, 3, 1, 2, 4]), [n * inner, s, s, h, w]), [0, 3, 1, 4, 2]);
  return reshape(moved, [n, inner, h * s, w * s]);
};

/** The inverse of DepthToSpace in mode DCR. */
const spaceToDepth: Operator = (x, node) => {
  const value = x.tensor(0);
  const [n, c, height, width] = value.shape as [number, number, number, number];
  const s = intAttribute(node, 'blocksize', 1);
  const [h, w] = [height / s, width / s];
  const cells = tf.transpose(tf.reshape(value, [n * c, h, s, w, s]), [0, 2, 4, 1, 3]);
  const blocks = tf.transpose(tf.reshape(cells, [n, c, s * s, h * w]), [0, 2, 1, 3]);
  return tf.reshape(blocks, [n, c * s * s, h, w]);
};

/** Nothing moves where only the layout changes its name. */
const transpose: Operator = (x, node) => {
  const value = x.laid(0);
  const axes = value.shape.map((_, i) => i);
  const perm = intsAttribute(node, 'perm') ?? axes.reverse();
  if (value.made === 'last' && perm.join() === toLast(value.rank).join()) return value.own;
  if (value.made === 'first' && value.rank > 3 && perm.join() === toFirst(value.rank).join()) {
    return new Laid(value.own, 'last');
  }
  return tf.transpose(value.in('first'), perm);
};

export const movers: Operators = {
  Concat: (x, node) => {
    const parts = laids(x);
    const { rank } = parts[0]!;
    if (parts.length === 1) return parts[0]!;
    const layout = sharedLayout(parts);
    const axis = axisIn(layout, fromFront(intAttribute(node, 'axis', 0), rank), rank);
    const joined = tf.concat(
      parts.map((part) => part.in(layout)),
      axis,
    );
    return new Laid(joined, layout);
  },
  DepthToSpace: depthToSpace,
  Expand: (x) => {
    const value = x.tensor(0);
    const shape = sharedShape([value.shape, x.numbers(1)!]);
    return shape.join() === value.shape.join() ? tf.clone(value) : broadcast(value, shape);
  },
  Flatten: flatten,
  Gather: gather,
  Pad: pad,
  Reshape: reshaped,
  Shape: (x, node) => {
    const { shape } = x.tensor(0);
    return tf.tensor1d(shape.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end')), 'int32');
  },
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Squeeze: squeeze,
  // tf.tile has a gradient up to rank four only.
  Tile: (x) =>
    x
      .numbers(1)!
      .reduce<tf.Tensor>(
        (v, times, axis) => (times === 1 ? v : tf.concat(Array<tf.Tensor>(times).fill(v), axis)),
        tf.clone(x.tensor(0)),
      ),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
