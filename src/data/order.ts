import { Random } from '../core/random.ts';

/**
 * The batches of a training epoch: a seeded shuffle, the ragged rest dropped. Fewer rows than a batch holds are
 * repeated in cycles to fill the one batch.
 */
export function trainingOrder(
  rows: Uint32Array,
  batch: number,
  seed: number,
  epoch: number,
): readonly Uint32Array[] {
  const shuffled = new Random(seed, 'order', epoch).shuffle(rows.slice());
  if (rows.length === 0) return [];
  if (rows.length < batch) return [Uint32Array.from({ length: batch }, (_, i) => shuffled[i % rows.length]!)];
  return Array.from({ length: Math.floor(rows.length / batch) }, (_, i) =>
    shuffled.subarray(i * batch, (i + 1) * batch),
  );
}

/** Steps of a training epoch. */
export const stepsPerEpoch = (rows: number, batch: number): number =>
  rows === 0 ? 0 : Math.max(1, Math.floor(rows / batch));
