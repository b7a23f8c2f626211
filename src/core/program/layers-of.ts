import { invariant, RetortError } from '../../errors.ts';
import { asWritten } from '../students/own-names.ts';
import type { ObjectiveTerm } from './build-program.ts';
import type { StudentRows } from './student-rows.ts';

/** The layers of the student that a term names, found to hold one map, sequence or vector for each row. */
export function layersOf({ loss, at }: ObjectiveTerm, rowsOf: StudentRows): readonly string[] {
  invariant(at && at !== 'auto', `the layers of "${loss}" are not settled`);
  for (const name of at) {
    const dims = rowsOf(name, 'at');
    if (dims.length <= 3) continue;
    throw new RetortError(
      'SPEC_INVALID',
      `"${loss}" cannot read the student's "${asWritten(name)}" [N, ${dims.join(', ')}] as a layer`,
      { hint: 'Name tensors [N, C, H, W], [N, L, D] or [N, D] in "at", or leave it out.' },
    );
  }
  return at;
}
