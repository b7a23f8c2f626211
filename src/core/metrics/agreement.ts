import { invariant } from '../../errors.ts';
import type { Metric } from './metric.ts';
import { argmax, mean } from './rows.ts';

export const agreement: Metric = {
  name: 'agreement',
  summary: 'share of rows where the highest score is that of the teacher (fidelity)',
  formula: '1 / N * sum [argmax z_s = argmax z_t]',
  better: 'higher',
  needs: ['teacher'],
  compute({ classes, logits, labels, teacherLogits }) {
    invariant(teacherLogits, 'agreement needs the teacher');
    return mean(
      Array.from(labels.keys(), (row) =>
        argmax(logits, classes, row) === argmax(teacherLogits, classes, row) ? 1 : 0,
      ),
    );
  },
};
