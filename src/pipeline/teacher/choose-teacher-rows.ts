import type { NDArray } from '../../core/ndarray.ts';
import type { TypedArray } from '../../core/onnx/dtype.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import { SCORE_BATCH } from '../logits/score-rows.ts';
import type { Clock } from '../ports.ts';

/** For all sizes together, besides a size's first run. */
const BUDGET_MS = 1000;
/** A teacher that is through sooner than this, row by row, is not worth measuring. */
const WORTH_MS = 5000;
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** How near to the best pace a smaller size must come to be taken. */
const NEAR = 0.95;
/** No more numbers per run than this, whatever the pace (256 MB of float32). */
const MOST_ELEMENTS = 2 ** 26;

export interface RowsChoice {
  /** Rows per run of the teacher. */
  readonly rows: number;
  /** In words, for the report. */
  readonly reason: string;
}

export interface RowsQuestion {
  /** [n, ...] rows to be run at will, as many as there are up to 256. */
  readonly sample: NDArray;
  /** How many rows the job will ask for in all. */
  readonly asked: number;
  /** Rows per run that the model insists on; null for any number. */
  readonly fixed: number | null;
  run(rows: NDArray): Promise<unknown>;
}

/**
 * How many rows to give the teacher at a time: the smallest number that is about as fast as the fastest. The last bits of a
 * row's logits may depend on it, so it is measured once, kept in a record and in the resolved spec, and part of keys.
 */
export async function chooseTeacherRows(
  { sample, asked, fixed, run }: RowsQuestion,
  { precise }: Clock,
): Promise<RowsChoice> {
  if (fixed !== null) return { rows: SCORE_BATCH, reason: `the model takes ${fixed} at a time` };
  const started = precise();
  const timed = async (rows: NDArray): Promise<number> => {
    const from = precise();
    await run(rows);
    return precise() - from;
  };
  const paces: { readonly rows: number; readonly perSecond: number }[] = [];
  for (const [i, rows] of SIZES.entries()) {
    const part = firstRows(sample, rows);
    if (!part || (i > 0 && sizeOf(part.dims) > MOST_ELEMENTS)) break;
    // The first run allocates and counts only where nothing else fits; of the others the quickest is the pace.
    let best = await timed(part);
    const until = started + ((i + 1) * BUDGET_MS) / SIZES.length;
    if (precise() < until) best = await timed(part);
    while (precise() < until) best = Math.min(best, await timed(part));
    if (i === 0 && asked * best < WORTH_MS) {
      return { rows: SCORE_BATCH, reason: `${asked} rows are too few to measure` };
    }
    paces.push({ rows, perSecond: (1000 * rows) / Math.max(best, 1e-3) });
    if (precise() - started > BUDGET_MS) break;
  }
  const top = Math.max(...paces.map(({ perSecond }) => perSecond));
  const chosen = paces.find(({ perSecond }) => perSecond >= NEAR * top);
  if (!chosen) return { rows: SCORE_BATCH, reason: 'there are no rows to measure' };
  const told = paces.map(({ rows, perSecond }) => `${rows}: ${Number(perSecond.toPrecision(3))}`).join(', ');
  return { rows: chosen.rows, reason: `rows per second by rows per run: ${told}` };
}

/** The first `count` rows, or undefined where there are fewer. */
function firstRows({ data, dims, dtype }: NDArray, count: number): NDArray | undefined {
  const [rows, ...rest] = dims;
  if (rows! < count) return undefined;
  const part = (data as TypedArray).subarray(0, count * sizeOf(rest)) as TypedArray;
  return { dtype, dims: [count, ...rest], data: part };
}
