import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { demandRows } from './demand-rows.ts';
import { averageOver, meanOver, meanSquare } from './feature-means.ts';
import { channelAxis, positionsOf, sumOf, TINY_SQUARE } from './feature-shapes.ts';
import type { Loss } from './loss.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Correlation of channels: every channel is standardised over batch and positions, z = (F - mean) / sqrt(var + 1e-12),
 * var over all N of them; L = 1 / (2 N C) * sum (z_s - z_t)^2. That is the mean over channels of 1 - r, r Pearson's
 * correlation, so scale and shift of either side play no part. A channel that is constant has z = 0.
 * Published weight of each level: 6 for two-stage detectors, 10 for RetinaNet.
 */
export const pkd: Loss<typeof options> = {
  name: 'pkd',
  summary: 'one minus the Pearson correlation of channels',
  citation:
    'Cao et al., "PKD: General Distillation Framework for Object Detectors via Pearson Correlation Coefficient", NeurIPS 2022, arXiv 2207.02039',
  formula: '1 / 2 * mean (z_s - z_t)^2 = mean_c (1 - r_c), z standardised per channel',
  needs: ['features'],
  publishedWeight: () => 6,
  features: {
    align: 'shape',
    ranks: [2, 3, 4],
    auto: 'last',
    samples: [[{ student: [3, 4, 2, 3], teacher: [3, 4, 2, 3] }], [{ student: [5, 3], teacher: [5, 3] }]],
  },
  options,
  build({ b, features }) {
    invariant(features, 'pkd needs features');
    const standardised = (x: string): string => {
      const dims = b.dims(x);
      if (dims.length === 2) demandRows('pkd', dims[0]!, 2);
      const axes = b.ints(dims.map((_, i) => i).filter((i) => i !== channelAxis(dims)));
      const centred = b.op('Sub', [x, b.op('ReduceMean', [x, axes])]);
      const variance = b.op('ReduceMean', [b.op('Mul', [centred, centred]), axes]);
      return b.op('Div', [centred, b.op('Sqrt', [b.op('Add', [variance, b.constant(TINY_SQUARE)])])]);
    };
    const mean = meanOver(b, features, ({ student, teacher }) =>
      meanSquare(b, b.op('Sub', [standardised(student), standardised(teacher)])),
    );
    return b.op('Mul', [mean, b.constant(0.5)]);
  },
  reference({ features }) {
    return averageOver(features!, ({ student, teacher }) => {
      const [ours, theirs] = [positionsOf(student).flat(), positionsOf(teacher).flat()];
      const channels = ours[0]!.map((_, c) => {
        const x = standardisedOf(ours.map((at) => at[c]!));
        const y = standardisedOf(theirs.map((at) => at[c]!));
        return sumOf(x.map((value, i) => (value - y[i]!) ** 2)) / (2 * x.length);
      });
      return sumOf(channels) / channels.length;
    });
  },
};

function standardisedOf(values: readonly number[]): number[] {
  const mean = sumOf(values) / values.length;
  const variance = sumOf(values.map((value) => (value - mean) ** 2)) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + TINY_SQUARE));
}
