import * as tf from '@tensorflow/tfjs-core';
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
} from '../../../../core/onnx/attributes.ts';
import { RetortError } from '../../../../errors.ts';
import { axisIn, Laid } from '../layout.ts';
import { fromFront, type Inputs, type Node, type Operator, type Operators } from './operator.ts';
import { axisWeights, type Sampling } from './resize-weights.ts';

/** Linear in x, axis by axis: y = W x with constant weights W [to, from], so its gradient is that of a matrix product. */
const resize: Operator = (x, node) => {
  const value = x.laid(0);
  const mode = stringAttribute(node, 'mode', 'nearest');
  const coordinates = stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel');
  if (coordinates === 'tf_crop_and_resize' || intAttribute(node, 'antialias', 0) === 1) {
    throw new RetortError('TRAIN_UNSUPPORTED', `Resize "${node.name}" crops or smooths, which tfjs lacks`, {
      hint: 'Use the onnxruntime kernel.',
    });
  }
  const sampling: Sampling = {
    mode,
    coordinates,
    nearest: stringAttribute(node, 'nearest_mode', 'round_prefer_floor'),
    cubic: floatAttribute(node, 'cubic_coeff_a', -0.75),
    excludeOutside: intAttribute(node, 'exclude_outside', 0) === 1,
  };
  const y = goals(x, node, value.shape).reduce<tf.Tensor>((v, { axis, from, to, scale }) => {
    if (from === to && scale === 1) return v;
    return along(v, axisIn(value.made, axis, value.rank), axisWeights(from, to, scale, sampling), to);
  }, value.own);
  return new Laid(y, value.made);
};

interface Goal {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** How far each axis goes: inputs 2 (scales) or 3 (sizes), of all axes or of those named. */
function goals(x: Inputs, node: Node, shape: readonly number[]): Goal[] {
  const axes =
    intsAttribute(node, 'axes')?.map((axis) => fromFront(axis, shape.length)) ?? shape.map((_, i) => i);
  const scales = x.numbers(2);
  if (scales?.length) {
    return axes.map((axis, i) => {
      const [from, scale] = [shape[axis]!, Math.fround(scales[i]!)];
      return { axis, from, to: Math.floor(Math.fround(from * scale)), scale };
    });
  }
  const sizes = x.numbers(3)!;
  const ratios = axes.map((axis, i) => sizes[i]! / shape[axis]!);
  const policy = stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch');
  const shared = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((axis, i) => {
    const from = shape[axis]!;
    if (policy === 'stretch') return { axis, from, to: sizes[i]!, scale: Math.fround(ratios[i]!) };
    return { axis, from, to: Math.floor(from * shared + 0.5), scale: Math.fround(shared) };
  });
}

/** Applies weights [to, from] along an axis. */
function along(x: tf.Tensor, axis: number, weights: Float32Array, to: number): tf.Tensor {
  const from = x.shape[axis]!;
  const outer = x.shape.slice(0, axis).reduce((n, dim) => n * dim, 1);
  const inner = x.size / (outer * from);
  const shape = x.shape.map((dim, i) => (i === axis ? to : dim));
  if (inner === 1) {
    const rows = tf.reshape(x, [outer, from]);
    return tf.reshape(tf.matMul(rows, tf.tensor2d(weights, [to, from]), false, true), shape);
  }
  const slabs = tf.reshape(x, [outer, from, inner]);
  return tf.reshape(tf.matMul(tf.tensor3d(weights, [1, to, from]), slabs), shape);
}

export const resizing: Operators = { Resize: resize };
