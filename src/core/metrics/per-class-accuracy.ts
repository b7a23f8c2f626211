import type { Metric } from './metric.ts';
import { argmax, labelledRows } from './rows.ts';

export const perClassAccuracy: Metric = {
  name: 'perClassAccuracy',
  summary: 'accuracy within the rows of each class (recall), in class order',
  formula: 'for each c: 1 / N_c * sum over rows of c of [argmax z = c]',
  better: 'higher',
  needs: ['labels'],
  compute(s) {
    const seen = new Float64Array(s.classes);
    const right = new Float64Array(s.classes);
    for (const row of labelledRows(s)) {
      const label = s.labels[row]!;
      seen[label]! += 1;
      if (argmax(s.logits, s.classes, row) === label) right[label]! += 1;
    }
    return Array.from(seen, (count, c) => (count === 0 ? null : right[c]! / count));
  },
};
