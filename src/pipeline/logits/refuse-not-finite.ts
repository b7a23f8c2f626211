import { RetortError } from '../../errors.ts';

const NAMED = 5;

/** TEACHER_NOT_FINITE where a teacher's scores [N, classes] of some rows of the dataset hold infinities or NaN. */
export function refuseNotFinite(logits: Float32Array, classes: number, rows: Uint32Array): void {
  // In float64 the sum is finite exactly where all are, and it costs next to nothing.
  if (Number.isFinite(logits.reduce((sum, each) => sum + each, 0))) return;
  const isBad = (i: number): boolean =>
    logits.subarray(i * classes, (i + 1) * classes).some((each) => !Number.isFinite(each));
  const bad = [...rows.keys()].filter(isBad);
  const numbers = bad.slice(0, NAMED).map((i) => rows[i]!);
  throw new RetortError(
    'TEACHER_NOT_FINITE',
    `the teacher gives ${bad.length} of ${rows.length} rows scores that are infinite or not a number`,
    {
      hint: 'Look at inputs (scale, mean, std) first; else the graph divides by zero, takes the logarithm or root of what it should not, or is too narrow for its numbers (float16).',
      problems: [`rows of the dataset, from 0: ${numbers.join(', ')}${bad.length > NAMED ? ', ...' : ''}`],
      facts: { rows: bad.length, of: rows.length },
    },
  );
}
