import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { fuse, fuseOf, type PlainMaps } from './attention-fusion.ts';
import { averageOver, meanOver, meanSquare, meanSquareOf } from './feature-means.ts';
import { positionsOf, sumOf } from './feature-shapes.ts';
import type { NumberArray } from './features.ts';
import type { Loss } from './loss.ts';

const options = Type.Object(
  {
    width: Type.Integer({ minimum: 1, default: 512, description: 'most channels of what stages pass on' }),
  },
  { additionalProperties: false },
);

/** Sides of the grids on which stages are compared besides their own. */
const LEVELS = [4, 2, 1] as const;

/**
 * Review: pairs are stages from shallow to deep. From the deepest on, each stage of the student is fused with what the
 * deeper ones pass on (`fuse`) and compared with the teacher's stage by the hierarchical context loss
 * HCL = (MSE + 1/2 MSE_4 + 1/4 MSE_2 + 1/8 MSE_1) / (sum of these weights), MSE_k of both averaged on a grid of k x k;
 * grids that are not smaller than the stage fall out and the weights move up. L is the mean of HCL over pairs; the paper
 * sums it. A vector [B, D] counts as a map of one pixel: published as the deepest stage, the pooled features.
 * Ours: the student's map is brought to the teacher's positions before the fusion, not between it and its 3x3 convolution;
 * what is passed on has min(width, channels of the deepest stage) channels, as published; there is no warm-up.
 */
export const review: Loss<typeof options> = {
  name: 'review',
  summary:
    'stages of the student, each with what the deeper ones saw, beside those of the teacher (ReviewKD)',
  citation: 'Chen et al., "Distilling Knowledge via Knowledge Review", CVPR 2021, arXiv 2104.09044',
  formula: 'mean over stages of HCL(fuse(F_s, deeper), F_t), from deep to shallow',
  needs: ['features'],
  publishedWeight: () => 1,
  features: {
    align: 'positions',
    ranks: [2, 4],
    auto: 'every',
    samples: [
      [
        { student: [3, 2, 5, 5], teacher: [3, 3, 5, 5] },
        { student: [3, 3, 2, 3], teacher: [3, 4, 2, 3] },
        { student: [3, 4], teacher: [3, 3] },
      ],
    ],
  },
  options,
  build({ b, features, own }, { width }) {
    invariant(features, 'review needs features');
    const asMap = (x: string): string =>
      b.dims(x).length === 4 ? x : b.op('Unsqueeze', [x, b.ints([2, 3])]);
    const stages = features.map(({ student, teacher }) => ({
      student: asMap(student),
      teacher: asMap(teacher),
    }));
    const passes = Math.min(width, b.dims(stages.at(-1)!.student)[1]!);
    let deeper: string | undefined;
    const made = stages.map(() => '');
    for (let i = stages.length - 1; i >= 0; i--) {
      const { student: stage, teacher } = stages[i]!;
      const fused = fuse(b, { stage, deeper, width: passes, to: b.dims(teacher)[1]! }, own, `${i}`);
      made[i] = fused.made;
      deeper = fused.passed;
    }
    return meanOver(b, stages, ({ teacher }, i) => context(b, made[i]!, teacher));
  },
  reference({ features, own }) {
    let deeper: PlainMaps | undefined;
    const made = features!.map((): PlainMaps => ({ rows: [], width: 1 }));
    for (let i = features!.length - 1; i >= 0; i--) {
      const fused = fuseOf(own!, `${i}`, mapsOf(features![i]!.student), deeper);
      made[i] = fused.made;
      deeper = fused.passed;
    }
    return averageOver(features!, ({ teacher }, i) => contextOf(made[i]!, mapsOf(teacher)));
  },
};

/** HCL of two maps [B, C, H, W], a scalar. */
function context(b: GraphBuilder, student: string, teacher: string): string {
  const [, , height, width] = b.dims(teacher) as [number, number, number, number];
  const difference = b.op('Sub', [student, teacher]);
  const squares = levelsOf(height, width).map((level) => {
    if (level === undefined) return meanSquare(b, difference);
    // Averaging is linear: the average of the difference is the difference of the averages.
    const rows = b.constant(windows(height, level).flat(), 'float32', [level, height]);
    const columns = b.constant(transposed(windows(width, level)).flat(), 'float32', [width, level]);
    return meanSquare(b, b.op('MatMul', [rows, b.op('MatMul', [difference, columns])]));
  });
  const sum = squares
    .map((square, i) => b.op('Mul', [square, b.constant(0.5 ** i)]))
    .reduce((left, right) => b.op('Add', [left, right]));
  return b.op('Div', [sum, b.constant(sumOf(squares.map((_, i) => 0.5 ** i)))]);
}

function contextOf(student: PlainMaps, teacher: PlainMaps): number {
  const height = teacher.rows[0]!.length / teacher.width;
  const difference = student.rows.map((row, i) =>
    row.map((at, p) => at.map((v, c) => v - teacher.rows[i]![p]![c]!)),
  );
  const squares = levelsOf(height, teacher.width).map((level) => {
    if (level === undefined) return meanSquareOf(difference.flat(2));
    const [rows, columns] = [windows(height, level), windows(teacher.width, level)];
    const averages = difference.flatMap((row) =>
      rows.flatMap((down) =>
        columns.flatMap((across) =>
          row[0]!.map((_, c) =>
            sumOf(
              row.map((at, p) => at[c]! * down[Math.floor(p / teacher.width)]! * across[p % teacher.width]!),
            ),
          ),
        ),
      ),
    );
    return meanSquareOf(averages);
  });
  const weights = squares.map((_, i) => 0.5 ** i);
  return sumOf(squares.map((square, i) => square * weights[i]!)) / sumOf(weights);
}

/** The stage as it is, then the grids that are smaller. */
const levelsOf = (height: number, width: number): (number | undefined)[] => [
  undefined,
  ...LEVELS.filter((level) => level < Math.min(height, width)),
];

/** Adaptive average of `length` pixels to `count`: row i averages pixels from floor(i l / c) to ceil((i + 1) l / c). */
const windows = (length: number, count: number): number[][] =>
  Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * length) / count), Math.ceil(((i + 1) * length) / count)];
    return Array.from({ length }, (_, p) => (p >= from && p < to ? 1 / (to - from) : 0));
  });

const transposed = (rows: readonly (readonly number[])[]): number[][] =>
  rows[0]!.map((_, i) => rows.map((row) => row[i]!));

const mapsOf = (array: NumberArray): PlainMaps => ({
  rows: positionsOf(array),
  width: array.dims.length === 4 ? array.dims[3]! : 1,
});
