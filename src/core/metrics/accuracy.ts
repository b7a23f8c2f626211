import type { Metric } from './metric.ts';
import { argmax, labelledRows, mean } from './rows.ts';

export const accuracy: Metric = {
  name: 'accuracy',
  summary: 'share of labelled rows whose highest score is the label',
  formula: '1 / N * sum [argmax z = y]',
  better: 'higher',
  needs: ['labels'],
  compute: (s) =>
    mean(labelledRows(s).map((row) => (argmax(s.logits, s.classes, row) === s.labels[row] ? 1 : 0))),
};
