import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { sizeOf } from '../onnx/tensor.ts';
import { averageOver, meanOver } from './feature-means.ts';
import { rowsOf, sumOf, sumOver } from './feature-shapes.ts';
import type { Loss } from './loss.ts';
import { logSoftmaxRow } from './softened.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Channel-wise divergence: each channel of a map [B, C, H, W] becomes a distribution over its positions,
 * p = softmax(F_c / T); L = T^2 / (B C) * sum_bc KL(p_t, p_s). Natural logarithm; log-softmax on both sides.
 * Published for segmentation: T 4, weight 50 for hidden maps, 3 for class maps. For detectors others take T 1 and 10.
 */
export const cwd: Loss<typeof options> = {
  name: 'cwd',
  summary: 'divergence of the channels of maps, each softened over its positions',
  citation:
    'Shu et al., "Channel-wise Knowledge Distillation for Dense Prediction", ICCV 2021, arXiv 2011.13256',
  formula: 'T^2 / (B C) * sum KL(softmax_HW(F_t / T), softmax_HW(F_s / T))',
  needs: ['features'],
  publishedWeight: () => 50,
  features: {
    align: 'shape',
    ranks: [4],
    auto: 'last',
    samples: [[{ student: [3, 4, 2, 3], teacher: [3, 4, 2, 3] }]],
  },
  options,
  temperature: 4,
  build({ b, features, temperature }) {
    invariant(features && temperature, 'cwd needs features and a temperature');
    const softened = (x: string): string => {
      const [batch, channels, ...map] = b.dims(x) as [number, number, ...number[]];
      const rows = b.op('Reshape', [x, b.ints([batch * channels, sizeOf(map)])]);
      return b.op('LogSoftmax', [b.op('Div', [rows, temperature])], { axis: 1 });
    };
    const mean = meanOver(b, features, ({ student, teacher }) => {
      const [ours, theirs] = [softened(student), softened(teacher)];
      const divergence = b.op('Mul', [b.op('Exp', [theirs]), b.op('Sub', [theirs, ours])]);
      return sumOver(b, divergence, b.dims(ours)[0]!);
    });
    return b.op('Mul', [mean, b.op('Mul', [temperature, temperature])]);
  },
  reference({ features, temperature }) {
    const mean = averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [student, teacher].map(({ dims, data }) =>
        rowsOf({ dims: [dims[0]! * dims[1]!], data }).map((row) =>
          logSoftmaxRow(row.map((v) => v / temperature)),
        ),
      );
      const rows = theirs!.map((row, i) => sumOf(row.map((t, p) => Math.exp(t) * (t - ours![i]![p]!))));
      return sumOf(rows) / rows.length;
    });
    return temperature ** 2 * mean;
  },
};
