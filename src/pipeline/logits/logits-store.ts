import { invariant } from '../../errors.ts';
import type { BlobRef, BlobStore } from '../ports.ts';

/**
 * Teacher logits at full precision: [rows, classes] float32, little-endian, cut into shards of equal row counts (the
 * last may be shorter). One view per set of pixels the teacher saw: all rows once, or once per augmented epoch.
 */
export interface LogitsView {
  readonly rows: number;
  readonly classes: number;
  readonly shardRows: number;
  readonly shards: readonly BlobRef[];
}

const SHARD_BYTES = 4 * 2 ** 20;
const SHARD_ROWS = 4096;

/** Rows per shard: few enough that a stop loses little of a slow teacher's work, and about 4 MiB at most. */
export const shardRowsFor = (classes: number): number =>
  Math.max(64, Math.min(SHARD_ROWS, Math.floor(SHARD_BYTES / (4 * classes))));

/** Reads rows of a view by position. All of it stays in memory, as float32. */
export async function loadLogits(blobs: BlobStore, view: LogitsView): Promise<Float32Array> {
  const all = new Float32Array(view.rows * view.classes);
  let offset = 0;
  for (const { hash } of view.shards) {
    const bytes = await blobs.get(hash);
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    all.set(new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4), offset);
    offset += aligned.byteLength / 4;
  }
  invariant(offset === all.length, `the logits of ${view.rows} rows hold ${offset / view.classes}`);
  return all;
}
