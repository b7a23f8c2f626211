import Type from 'typebox';
import { invariant } from '../../errors.ts';
import { correctedRow, mixed, swapped } from './corrected-teacher.ts';
import { divergence, divergenceRow } from './divergence.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows, timesSquared } from './means.ts';
import { logSoftened, logSoftmaxRow, softenedRow } from './softened.ts';

const options = Type.Object(
  {
    correction: Type.Union([Type.Literal('swap'), Type.Literal('mix')], {
      default: 'swap',
      description:
        "swap: the label's and the largest probability change places; mix: just enough of the label is added",
    }),
    lead: Type.Number({
      default: 0.2,
      minimum: 0,
      maximum: 1,
      description: "mix: how far the label's probability then stands above the teacher's wrong choice",
    }),
  },
  { additionalProperties: false },
);

/**
 * `kl` to a teacher that is put right: L = T^2 / B * sum_b KL(q || p_s), p = softmax(z / T), q the corrected p_t, y the
 * label's class (of a smoothed or mixed label its largest). Rows without a label are not corrected.
 *
 * - swap (Wen et al., probability shift): p_t of y and of the teacher's choice change places. Nothing changes where it
 *   is right.
 * - mix (minifinetuning): q = (1 - m) p_t + m onehot(y). Wrong (p_y < p_max): m = (p_max - p_y + lead) /
 *   (1 + p_max - p_y), so that y leads by exactly `lead`. Right: m = min(1, lead / (1 - p_y)), so that
 *   q_y = min(1, p_y + lead).
 */
export const correctedKl: Loss<typeof options> = {
  name: 'corrected-kl',
  summary: "Hinton's divergence from a teacher whose mistakes are corrected by the label",
  citation:
    'Wen, Lai, Qian, "Preparing Lessons: Improve Knowledge Distillation with Better Supervision", 2019, arXiv 1911.07471; "Minifinetuning", 2025, arXiv 2506.15702',
  formula: 'T^2 / B * sum q (ln q - ln p_s), q = p_t with the label on top',
  needs: ['teacher-logits', 'labels'],
  options,
  temperature: 4,
  build(context, { correction, lead }) {
    const { b, labels, teacherLogits } = context;
    invariant(teacherLogits && labels, 'corrected-kl needs teacher logits and labels');
    const { student, teacher, temperature } = logSoftened(context, false);
    const right = correction === 'swap' ? swapped(b, teacher, labels) : mixed(b, teacher, labels, lead);
    return timesSquared(b, batchMean(b, divergence(b, right, student)), temperature);
  },
  reference(numbers, { correction, lead }) {
    const { temperature } = numbers;
    const ln = (row: readonly number[]) => logSoftmaxRow(softenedRow(row, temperature, false));
    const mean = meanOfRows(numbers, (student, teacher, label) => {
      const right = correctedRow(ln(teacher).map(Math.exp), label, correction, lead);
      return divergenceRow(right.map(Math.log), ln(student));
    });
    return temperature ** 2 * mean;
  },
};
