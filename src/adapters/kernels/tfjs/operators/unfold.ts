import * as tf from '@tensorflow/tfjs-core';
import { isNative } from '../backend.ts';
import { addRows, takeRows, whole } from './rows.ts';
import { product, type Windows } from './windows.ts';

/**
 * What windows see, laid out for a matrix product, and its adjoint. On libtensorflow by rows of a matrix, so that nothing
 * leaves the backend; in plain JavaScript by loops on the host, which are faster there.
 */

/** [N, C, ...in] -> [C * taps, N * positions]: what each tap of each window sees, zero in the padding. */
export const unfold = (x: tf.Tensor, w: Windows): tf.Tensor => {
  if (isNative()) return unfoldedByRows(x, w);
  return linear(
    x,
    (v) => unfolded(v, w),
    (dy) => folded(dy, w, x.shape),
  );
};

/** The adjoint of `unfold`: adds every tap's value to the element of [N, C, ...in] that it read. */
export const fold = (columns: tf.Tensor, w: Windows, shape: readonly number[]): tf.Tensor => {
  if (isNative()) return foldedByRows(columns, w, shape);
  return linear(
    columns,
    (v) => folded(v, w, shape),
    (dy) => unfolded(dy, w),
  );
};

/** [N, C, ...in] -> [taps, positions, N * C]: what each tap of each window sees, `pad` in the padding. */
export function seenByTaps(x: tf.Tensor, w: Windows, pad: number): tf.Tensor {
  const [n, c] = x.shape as [number, number];
  const rows = tf.transpose(tf.reshape(x, [n * c, product(w.input)]));
  const padded = tf.pad(
    rows as tf.Tensor2D,
    [
      [0, 1],
      [0, 0],
    ],
    pad,
  );
  return tf.reshape(takeRows(padded, rowsOf(w)), [w.taps, w.positions, n * c]);
}

/** The table as rows of a matrix that has one for the padding behind those of the input. */
const rowsOf = ({ table, input }: Windows): tf.Tensor =>
  whole(
    table.map((at) => (at < 0 ? product(input) : at)),
    [table.length],
  );

function unfoldedByRows(x: tf.Tensor, w: Windows): tf.Tensor {
  const [n, c] = x.shape as [number, number];
  const seen = tf.reshape(seenByTaps(x, w, 0), [w.taps, w.positions, n, c]);
  return tf.reshape(tf.transpose(seen, [3, 0, 2, 1]), [c * w.taps, n * w.positions]);
}

function foldedByRows(columns: tf.Tensor, w: Windows, shape: readonly number[]): tf.Tensor {
  const [n, c] = shape as [number, number];
  const size = product(w.input);
  const seen = tf.transpose(tf.reshape(columns, [c, w.taps, n, w.positions]), [1, 3, 2, 0]);
  const rows = addRows(tf.reshape(seen, [w.taps * w.positions, n * c]), rowsOf(w), size + 1);
  return tf.reshape(tf.transpose(tf.slice(rows, [0, 0], [size, n * c])), [...shape]);
}

/** A linear map on the tape, given with its adjoint. */
const linear = (x: tf.Tensor, map: (x: tf.Tensor) => tf.Tensor, adjoint: (dy: tf.Tensor) => tf.Tensor) =>
  tf.customGrad((v) => ({ value: map(v as tf.Tensor), gradFunc: (dy: tf.Tensor) => adjoint(dy) }))(x);

function unfolded(x: tf.Tensor, { table, taps, positions, input }: Windows): tf.Tensor {
  const [n, c] = x.shape as [number, number];
  const size = product(input);
  const data = x.dataSync() as Float32Array;
  const out = new Float32Array(c * taps * n * positions);
  let to = 0;
  for (let channel = 0; channel < c; channel++) {
    for (let k = 0; k < taps; k++) {
      for (let item = 0; item < n; item++) {
        const from = (item * c + channel) * size;
        for (let p = k * positions; p < (k + 1) * positions; p++, to++) {
          const at = table[p]!;
          if (at >= 0) out[to] = data[from + at]!;
        }
      }
    }
  }
  return tf.tensor(out, [c * taps, n * positions], 'float32');
}

function folded(
  columns: tf.Tensor,
  { table, taps, positions, input }: Windows,
  shape: readonly number[],
): tf.Tensor {
  const [n, c] = shape as [number, number];
  const size = product(input);
  const data = columns.dataSync() as Float32Array;
  const out = new Float32Array(n * c * size);
  let from = 0;
  for (let channel = 0; channel < c; channel++) {
    for (let k = 0; k < taps; k++) {
      for (let item = 0; item < n; item++) {
        const to = (item * c + channel) * size;
        for (let p = k * positions; p < (k + 1) * positions; p++, from++) {
          const at = table[p]!;
          if (at >= 0) out[to + at] = out[to + at]! + data[from]!;
        }
      }
    }
  }
  return tf.tensor(out, [...shape], 'float32');
}
