import type { BatchMaker } from '../../data/batch.ts';
import type { Scorer } from './scorer.ts';

export interface ScoreOptions {
  readonly input: string;
  readonly classes: number;
  readonly epoch?: number;
  readonly batch?: number;
  /** Called between batches; may throw to stop. */
  onRows?(done: number): void;
}

/** Rows per run of a session that takes any number: large enough to hide the overhead, small enough for the cache. */
export const SCORE_BATCH = 64;

/** Logits [rows, classes] of these rows, in their order. */
export async function scoreRows(
  scorer: Scorer,
  maker: BatchMaker,
  rows: Uint32Array,
  { input, classes, epoch = 0, batch = SCORE_BATCH, onRows }: ScoreOptions,
): Promise<Float32Array> {
  const all = new Float32Array(rows.length * classes);
  const buffers = rows.length >= batch ? maker.buffers(batch) : undefined;
  for (let from = 0; from < rows.length; from += batch) {
    const part = rows.subarray(from, from + batch);
    const into = part.length === batch ? buffers : undefined;
    const { inputs } = await maker.assemble(part, epoch, into);
    all.set(await scorer.logits(inputs[input]!), from * classes);
    onRows?.(Math.min(rows.length, from + batch));
  }
  return all;
}

/** At most `limit` of the rows, evenly spread, in order. */
export function spread(rows: Uint32Array, limit: number): Uint32Array {
  if (rows.length <= limit) return rows;
  return Uint32Array.from({ length: limit }, (_, i) => rows[Math.floor((i * rows.length) / limit)]!);
}
