import { RetortError } from '../../errors.ts';

/** TEACHER_NOT_FINITE where a hidden tensor of the teacher, so many rows of it, holds infinities or NaN. */
export function refuseNotFiniteTensor(name: string, values: Float32Array, rows: number): void {
  const bad = notFiniteRows(values, rows);
  if (bad === 0) return;
  throw new RetortError(
    'TEACHER_NOT_FINITE',
    `the teacher's tensor "${name}" holds infinities or what is not a number in ${bad} of ${rows} rows`,
    {
      hint: 'Look at inputs (scale, mean, std) first; else the graph masks with infinities there, or is too narrow for its numbers (float16): name another tensor in "from".',
      facts: { tensor: name, rows: bad, of: rows },
    },
  );
}

/** Of [rows, ...] how many rows hold infinities or NaN. */
export function notFiniteRows(values: Float32Array, rows: number): number {
  const size = values.length / rows;
  let bad = 0;
  for (let row = 0; row < rows; row++) {
    // In float64 the sum is finite exactly where all are.
    let sum = 0;
    for (let i = row * size; i < (row + 1) * size; i++) sum += values[i]!;
    if (!Number.isFinite(sum)) bad++;
  }
  return bad;
}
