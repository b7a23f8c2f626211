import type { Metric } from './metric.ts';
import { perClassAccuracy } from './per-class-accuracy.ts';
import { mean } from './rows.ts';

export const balancedAccuracy: Metric = {
  name: 'balancedAccuracy',
  summary: 'mean of the accuracies within each class that has rows',
  formula: '1 / C * sum over c of recall_c',
  better: 'higher',
  needs: ['labels'],
  compute: (s) =>
    mean((perClassAccuracy.compute(s) as readonly (number | null)[]).filter((value) => value !== null)),
};
