import { invariant } from '../../errors.ts';
import type { Metric } from './metric.ts';
import { logProbabilities, mean } from './rows.ts';

export const klToTeacher: Metric = {
  name: 'klToTeacher',
  summary: 'Kullback-Leibler divergence from the teacher to the model at temperature 1, in nats',
  formula: '1 / N * sum p_t (ln p_t - ln p_s)',
  better: 'lower',
  needs: ['teacher'],
  compute({ classes, logits, labels, teacherLogits }) {
    invariant(teacherLogits, 'klToTeacher needs the teacher');
    return mean(
      Array.from(labels.keys(), (row) => {
        const teacher = logProbabilities(teacherLogits, classes, row);
        const student = logProbabilities(logits, classes, row);
        // A probability of zero adds nothing (0 ln 0 = 0).
        return teacher.reduce((sum, t, c) => {
          const p = Math.exp(t);
          return p === 0 ? sum : sum + p * (t - student[c]!);
        }, 0);
      }),
    );
  },
};
