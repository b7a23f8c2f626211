import { invariant } from '../../errors.ts';
import { averageOver, meanOver, meanSquare, meanSquareOf } from './feature-means.ts';
import type { LossContext, LossNumbers } from './loss.ts';

/** 1 / P * sum_p mean (F_s - F_t)^2 over all elements of P pairs: what hints on all kinds of layers have in common. */
export function squaredDifference({ b, features }: LossContext): string {
  invariant(features, 'a hint needs features');
  return meanOver(b, features, ({ student, teacher }) => meanSquare(b, b.op('Sub', [student, teacher])));
}

/** Plain-number twin of `squaredDifference`. */
export const squaredDifferenceOf = ({ features }: LossNumbers): number =>
  averageOver(features!, ({ student, teacher }) =>
    meanSquareOf(student.data.map((s, i) => s - teacher.data[i]!)),
  );
