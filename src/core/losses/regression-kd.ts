import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows, rowSums } from './means.ts';
import { labelled } from './target-mask.ts';

const options = Type.Object(
  {
    margin: Type.Number({
      default: 0,
      minimum: 0,
      description:
        'how much better than the teacher, in mean squared error, the student must be to be left alone',
    }),
    imitate: Type.Boolean({
      default: false,
      description: "pull towards the teacher's value instead of the target's, under the same gate",
    }),
  },
  { additionalProperties: false },
);

/**
 * The teacher as an upper bound in regression: a row is learned only as long as the student is not better than the
 * teacher by the margin. e(z) = 1 / C * sum_c (z - y)^2, y the target:
 * L = 1 / B * sum_b [e(z_s) + margin > e(z_t)] e(z_s); with `imitate` [...] 1 / C * sum_c (z_s - z_t)^2.
 * A teacher that is far off lets go of the student early, instead of drawing it to its own error. The gate is 0 or 1
 * and has no gradient. Rows without a label (all zero) have the teacher's value for a target, so they imitate it.
 *
 * Chen et al. sum over the box's coordinates where this is the mean over C, and weigh the term by 0.5 beside a plain
 * regression loss on the labels, which is not part of it. Imitation under a gate is ours: users who pull towards the
 * teacher report trouble where it is wrong.
 */
export const regressionKd: Loss<typeof options> = {
  name: 'regression-kd',
  summary: 'squared error, as long as the student is not better than the teacher',
  citation:
    'Chen et al., "Learning Efficient Object Detection Models with Knowledge Distillation", NIPS 2017, section 3.3',
  formula: '1 / B * sum_b [e(z_s) + margin > e(z_t)] e(z_s), e(z) = 1 / C * sum (z - y)^2',
  needs: ['teacher-logits', 'labels'],
  publishedWeight: () => 0.5,
  takesScores: 'values',
  options,
  build({ b, studentLogits, teacherLogits, labels }, { margin, imitate }) {
    invariant(teacherLogits && labels, 'regression-kd needs teacher values and labels');
    const [, width] = b.dims(studentLogits) as [number, number];
    const distance = (one: string, other: string) => {
      const difference = b.op('Sub', [one, other]);
      return b.op('Div', [rowSums(b, b.op('Mul', [difference, difference])), b.constant(width)]);
    };
    const target = b.op('Where', [labelled(b, labels), labels, teacherLogits]);
    const error = distance(studentLogits, target);
    const behind = b.op('Greater', [
      b.op('Add', [error, b.constant(margin)]),
      distance(teacherLogits, target),
    ]);
    const pull = imitate ? distance(studentLogits, teacherLogits) : error;
    return batchMean(b, b.op('Where', [behind, pull, b.constant(0)]));
  },
  reference(numbers, { margin, imitate }) {
    return meanOfRows(numbers, (student, teacher, label) => {
      const distance = (one: readonly number[], other: readonly number[]) =>
        one.reduce((sum, v, c) => sum + (v - other[c]!) ** 2, 0) / one.length;
      const target = label.some((y) => y !== 0) ? label : teacher;
      if (distance(student, target) + margin <= distance(teacher, target)) return 0;
      return distance(student, imitate ? teacher : target);
    });
  },
};
