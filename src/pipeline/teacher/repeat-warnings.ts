import type { ResolvedTrain } from '../../spec/resolved-spec.ts';

/** A warning where a batch holds more than all training rows, which are repeated to fill it (see trainingOrder). */
export function repeatWarnings(
  rows: number,
  { batchSize }: Pick<ResolvedTrain, 'batchSize'>,
): readonly string[] {
  if (batchSize <= rows) return [];
  const times = Math.ceil(batchSize / rows);
  return [
    `a batch of ${batchSize} holds each of the ${rows} training rows up to ${times} times, and an epoch is one step: lower train.batchSize`,
  ];
}
