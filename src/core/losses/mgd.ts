import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { averageOver, meanOver, meanSquare, meanSquareOf } from './feature-means.ts';
import { positionsOf } from './feature-shapes.ts';
import type { Loss } from './loss.ts';
import { spatialMap, spatialMapOf } from './spatial-map.ts';

const options = Type.Object(
  {
    ratio: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.65,
      description: 'part of the positions that is masked',
    }),
  },
  { additionalProperties: false },
);

/**
 * Masked generation: of the student's map, at the teacher's shape, a random part of the positions is set to 0 in all
 * channels, drawn anew for every row and step; a generator (3x3 convolution, ReLU, 3x3 convolution, trained with the
 * student) makes the teacher's map of the rest. L = mean (F_t - G(mask * F_s))^2 over all elements. The authors take
 * 2e-5 times the sum over a row: that is a weight of 2e-5 C H W here, so there is no published one.
 */
export const mgd: Loss<typeof options> = {
  name: 'mgd',
  summary: "teacher's map made anew from a masked map of the student",
  citation: 'Yang et al., "Masked Generative Distillation", ECCV 2022, arXiv 2205.01529',
  formula: 'mean (F_t - G(mask * F_s))^2',
  needs: ['features'],
  features: {
    align: 'shape',
    ranks: [4],
    auto: 'last',
    samples: [[{ student: [3, 4, 3, 4], teacher: [3, 4, 3, 4] }]],
  },
  options,
  build({ b, features, own }, { ratio }) {
    invariant(features, 'mgd needs features');
    return meanOver(b, features, ({ student, teacher }, pair) => {
      const [batch, channels, height, width] = b.dims(teacher) as [number, number, number, number];
      const noise = own.noise(`${pair}.mask`, [batch, 1, height, width], 'uniform');
      const kept = b.op('Cast', [b.op('GreaterOrEqual', [noise, b.constant(ratio)])], { to: 1 });
      const masked = b.op('Mul', [student, kept]);
      const inner = b.op('Relu', [spatialMap(b, masked, channels, own, `${pair}.first`)]);
      const made = spatialMap(b, inner, channels, own, `${pair}.second`);
      return meanSquare(b, b.op('Sub', [teacher, made]));
    });
  },
  reference({ features, own }, { ratio }) {
    return averageOver(features!, ({ student, teacher }, pair) => {
      const width = teacher.dims[3]!;
      const [first, second] = [spatialMapOf(own!, `${pair}.first`), spatialMapOf(own!, `${pair}.second`)];
      const noise = positionsOf(own![`${pair}.mask`]!);
      const theirs = positionsOf(teacher);
      const errors = positionsOf(student).map((row, i) => {
        const masked = row.map((at, p) => (noise[i]![p]![0]! >= ratio ? at : at.map(() => 0)));
        const inner = first(masked, width).map((at) => at.map((v) => Math.max(0, v)));
        return second(inner, width).map((at, p) => at.map((v, c) => theirs[i]![p]![c]! - v));
      });
      return meanSquareOf(errors.flat(2));
    });
  },
};
