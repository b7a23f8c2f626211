import { RetortError } from '../../errors.ts';
import { notFiniteRows } from '../not-finite-rows.ts';

/** TEACHER_NOT_FINITE where a hidden tensor of the teacher, so many rows of it, holds infinities or NaN. */
export function refuseNotFiniteTensor(name: string, values: Float32Array, rows: number): void {
  const bad = notFiniteRows(values, rows).length;
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
