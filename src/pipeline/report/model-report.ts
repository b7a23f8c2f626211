import { metrics } from '../../core/metrics/index.ts';
import type { Metric, Scores } from '../../core/metrics/metric.ts';
import type { ModelCard } from './model-card.ts';
import type { ModelReport } from './report.ts';

/** Every metric of some scores, beside what the model costs. */
export const modelReport = (
  scores: Scores,
  { parameters, macs, bytes }: Pick<ModelCard, 'parameters' | 'macs' | 'bytes'>,
): ModelReport => ({
  metrics: Object.fromEntries(
    Object.values(metrics).map((metric: Metric) => [metric.name, metric.compute(scores)]),
  ),
  parameters,
  macs,
  bytes,
});
