import { Random } from '../core/random.ts';

/** Rows of one batch; only the first `count` count, the rest fill it up. */
export interface BatchRows {
  readonly rows: Uint32Array;
  readonly count: number;
}

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

/** All rows in their order; the last batch is filled with its first row and says how many count. */
export function* evaluationOrder(rows: Uint32Array, batch: number): Generator<BatchRows> {
  for (let at = 0; at < rows.length; at += batch) {
    const part = rows.subarray(at, at + batch);
    if (part.length === batch) yield { rows: part, count: batch };
    else {
      const filled = new Uint32Array(batch).fill(part[0]!);
      filled.set(part);
      yield { rows: filled, count: part.length };
    }
  }
}
