import * as tf from '@tensorflow/tfjs-core';
import { intAttribute } from '../../../../core/onnx/attributes.ts';
import { isNative } from '../backend.ts';
import { axisIn } from '../layout.ts';
import { nativeAveragePool, nativeMaxPool } from './native-pools.ts';
import { each, type Operator, type Operators, untaped } from './operator.ts';
import { counted, takeRows } from './rows.ts';
import { seenByTaps, unfold } from './unfold.ts';
import { kernelShape, product, type Windows, windowsOf } from './windows.ts';

/**
 * Largest element of each window. The first to reach it takes the gradient: after Relu whole windows tie at zero.
 * Written out, because tfjs has no pads per side, no dilated gradient and no promise about ties. Not-a-number wins.
 */
const maxPool: Operator = (x, node) => {
  const windows = windowsOf(node, x.laid(0).shape.slice(2), kernelShape(node));
  if (isNative() && fitsNative(windows)) return nativeMaxPool(x.laid(0), windows);
  const value = x.tensor(0);
  if (isNative()) return largestByRows(value, windows);
  return tf.customGrad((v) => {
    const { top, winners } = largest(v as tf.Tensor, windows);
    return { value: top, gradFunc: (dy: tf.Tensor) => scattered(dy, winners, value.shape) };
  })(value);
};

/** Where libtensorflow has no such pool: the largest tap of each window, picked on the backend. */
function largestByRows(x: tf.Tensor, w: Windows): tf.Tensor {
  const [n, c] = x.shape as [number, number];
  const seen = seenByTaps(x, w, Number.NEGATIVE_INFINITY);
  const infinite = tf.fill(seen.shape, Number.POSITIVE_INFINITY);
  const winner = untaped((v) => tf.argMax(tf.where(tf.isNaN(v), infinite, v), 0), seen);
  const count = w.positions * n * c;
  const at = counted((tap) => {
    const before = tf.mul(tf.reshape(tap, [count]), tf.scalar(count, 'int32'));
    return tf.add(before, tf.range(0, count, 1, 'int32'));
  }, winner);
  const top = tf.reshape(takeRows(tf.reshape(seen, [seen.size, 1]), at), [w.positions, n, c]);
  return tf.reshape(tf.transpose(top, [1, 2, 0]), [n, c, ...w.output]);
}

function largest(x: tf.Tensor, { table, taps, positions, input, output }: Windows) {
  const [n, c] = x.shape as [number, number];
  const size = product(input);
  const data = x.dataSync() as Float32Array;
  const top = new Float32Array(n * c * positions);
  const winners = new Int32Array(top.length);
  let to = 0;
  for (let from = 0; from < data.length; from += size) {
    for (let p = 0; p < positions; p++, to++) {
      let [best, winner] = [-Infinity, -1];
      for (let k = 0; k < taps; k++) {
        const at = table[k * positions + p]!;
        if (at < 0) continue;
        const value = data[from + at]!;
        if (winner < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
          best = value;
          winner = from + at;
        }
      }
      top[to] = best;
      winners[to] = winner;
    }
  }
  return { top: tf.tensor(top, [n, c, ...output], 'float32'), winners };
}

function scattered(dy: tf.Tensor, winners: Int32Array, shape: readonly number[]): tf.Tensor {
  const data = dy.dataSync() as Float32Array;
  const out = new Float32Array(product(shape));
  for (let i = 0; i < data.length; i++) out[winners[i]!] = out[winners[i]!]! + data[i]!;
  return tf.tensor(out, [...shape], 'float32');
}

/** Mean of each window: over what lies inside the input, or with count_include_pad over the declared padding too. */
const averagePool: Operator = (x, node) => {
  const windows = windowsOf(node, x.laid(0).shape.slice(2), kernelShape(node));
  const withPads = intAttribute(node, 'count_include_pad', 0) === 1;
  if (isNative() && fitsNative(windows)) {
    return nativeAveragePool(x.laid(0), windows, countsOf(windows, withPads));
  }
  const value = x.tensor(0);
  const [n, c] = value.shape as [number, number];
  const { taps, positions, output } = windows;
  const columns = tf.reshape(unfold(value, windows), [c, taps, n, positions]);
  const sums = tf.transpose(tf.sum(columns, 1), [1, 0, 2]);
  const counts = countsOf(windows, withPads);
  return tf.reshape(
    tf.mul(
      sums,
      tf.tensor(
        counts.map((count) => 1 / count),
        [1, 1, positions],
      ),
    ),
    [n, c, ...output],
  );
};

/** Elements each window averages over. In ceil mode a window may reach beyond the padding; that part never counts. */
function countsOf({ table, taps, positions, ...w }: Windows, withPads: boolean): Float32Array {
  const counts = new Float32Array(positions);
  for (let p = 0; p < positions; p++) {
    if (!withPads) {
      for (let k = 0; k < taps; k++) if (table[k * positions + p]! >= 0) counts[p] = counts[p]! + 1;
      continue;
    }
    let rest = p;
    counts[p] = 1;
    for (let i = w.output.length - 1; i >= 0; i--) {
      const start = (rest % w.output[i]!) * w.strides[i]!;
      const room = w.input[i]! + w.before[i]! + w.behind[i]! - start;
      counts[p] = counts[p]! * Math.min(w.kernel[i]!, Math.ceil(room / w.dilations[i]!));
      rest = Math.floor(rest / w.output[i]!);
    }
  }
  return counts;
}

const fitsNative = ({ input, dilations }: Windows): boolean =>
  input.length >= 1 && input.length <= 3 && dilations.every((dilation) => dilation === 1);

const globalAverage: Operator = (x) => {
  const value = x.laid(0);
  const axes = value.shape.slice(2).map((_, i) => axisIn(value.made, i + 2, value.rank));
  return each(value, (v) => tf.mean(v, axes, true));
};

export const pools: Operators = {
  AveragePool: averagePool,
  GlobalAveragePool: globalAverage,
  MaxPool: maxPool,
};
