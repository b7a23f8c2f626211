import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { sizeOf } from '../onnx/tensor.ts';
import { averageOver, meanOver, meanSquare } from './feature-means.ts';
import { dot, rowsOf, sumOf, unit, unitOf } from './feature-shapes.ts';
import type { NumberArray } from './features.ts';
import type { Loss } from './loss.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Where channels are active: f_c is channel c of a map [B, C, H, W] flattened and at length 1 (sqrt(. + 1e-12)); with the
 * kernel k(x, y) = <x, y>^2 the squared maximum mean discrepancy L = 1 / B * sum_b (mean k(f_t, f_t) + mean k(f_s, f_s)
 * - 2 mean k(f_t, f_s)), means over pairs of channels. It equals |1 / C_t sum f_t f_t^T - 1 / C_s sum f_s f_s^T|_F^2, so
 * it is never negative and channels need not match; positions do. Several pairs are averaged; others sum them,
 * with a weight of 50 for each.
 */
export const nst: Loss<typeof options> = {
  name: 'nst',
  summary: 'discrepancy of the distributions of channel activations (neuron selectivity)',
  citation:
    'Huang, Wang, "Like What You Like: Knowledge Distill via Neuron Selectivity Transfer", 2017, arXiv 1707.01219',
  formula: '1 / B * sum (mean <f_t, f_t>^2 + mean <f_s, f_s>^2 - 2 mean <f_t, f_s>^2)',
  needs: ['features'],
  publishedWeight: () => 50,
  features: {
    align: 'positions',
    ranks: [4],
    auto: 'every',
    samples: [[{ student: [3, 3, 2, 3], teacher: [3, 5, 2, 3] }]],
  },
  options,
  build({ b, features }) {
    invariant(features, 'nst needs features');
    const channels = (x: string): string => {
      const [batch, count, ...map] = b.dims(x) as [number, number, ...number[]];
      return unit(b, b.op('Reshape', [x, b.ints([batch, count, sizeOf(map)])]), 2);
    };
    // Each row of the batch has as many pairs, so the mean over everything is the mean over rows of means over pairs.
    const kernel = (x: string, y: string): string =>
      meanSquare(b, b.op('MatMul', [x, b.op('Transpose', [y], { perm: [0, 2, 1] })]));
    return meanOver(b, features, ({ student, teacher }) => {
      const [ours, theirs] = [channels(student), channels(teacher)];
      const own = b.op('Add', [kernel(theirs, theirs), kernel(ours, ours)]);
      return b.op('Sub', [own, b.op('Mul', [kernel(theirs, ours), b.constant(2)])]);
    });
  },
  reference({ features }) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [channelsOf(student), channelsOf(teacher)];
      const kernel = (x: number[][], y: number[][]): number =>
        sumOf(x.map((one) => sumOf(y.map((other) => dot(one, other) ** 2)))) / (x.length * y.length);
      const rows = ours.map((row, i) => {
        const other = theirs[i]!;
        return kernel(other, other) + kernel(row, row) - 2 * kernel(other, row);
      });
      return sumOf(rows) / rows.length;
    });
  },
};

const channelsOf = (array: NumberArray): number[][][] =>
  rowsOf(array).map((row) => rowsOf({ dims: [array.dims[1]!], data: row }).map(unitOf));
