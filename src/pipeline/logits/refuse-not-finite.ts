import { RetortError } from '../../errors.ts';
import { notFiniteRows } from '../not-finite-rows.ts';

const NAMED = 5;

/** TEACHER_NOT_FINITE where a teacher's scores [N, classes] of some rows of the dataset hold infinities or NaN. */
export function refuseNotFinite(logits: Float32Array, rows: Uint32Array): void {
  const bad = notFiniteRows(logits, rows.length);
  if (bad.length === 0) return;
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
