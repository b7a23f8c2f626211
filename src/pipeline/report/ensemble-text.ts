import type { Weighting } from '../../core/ensemble/ensemble.ts';
import type { Results } from '../results.ts';
import type { Report } from './report.ts';

/** Who taught beside the job's own teacher, and how they were made one. */
export function ensembleLines({ ensemble }: Report, { ingest }: Results): string[] {
  if (!ensemble) return [];
  const { combine, temperature, weighting, teachers, learned } = ensemble;
  const mean = combine === 'probabilities' ? `${combine} at T = ${temperature}` : combine.replace('-', ' ');
  const fitted = learned
    ? ` (on ${learned.rows} validation rows; negative log-likelihood ${learned.before.toFixed(4)} before, ${learned.value.toFixed(4)} after)`
    : '';
  return [
    `- Ensemble: mean of ${mean}, weights ${weightingText(weighting)}${fitted}`,
    ...teachers.map(({ name, weight, meanWeight, knows, rows }) => {
      const hash = ingest.companions.find((file) => file.name === name)?.hash;
      const parts = [
        `weight ${weight.toFixed(4)}`,
        `mean over the training rows ${meanWeight.toFixed(4)}`,
        ...(knows
          ? [`knows ${knows.join(', ')}: figures on the ${rows} test rows of these, among these`]
          : []),
        ...(hash ? [`sha256 ${hash}`] : []),
      ];
      return `  - ${name}: ${parts.join(', ')}`;
    }),
  ];
}

function weightingText(weighting: Weighting): string {
  if (weighting.by === 'confidence') return `confidence (${weighting.confidence})`;
  if (weighting.by === 'agreement') return `agreement (dissent ${weighting.dissent})`;
  return weighting.by;
}
