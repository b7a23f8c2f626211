import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { ObjectiveTerm } from './build-program.ts';

/** The layers of the student that a term names, found to hold one map, sequence or vector for each row. */
export function layersOf(b: GraphBuilder, { loss, at }: ObjectiveTerm, rows: number): readonly string[] {
  invariant(at && at !== 'auto', `the layers of "${loss}" are not settled`);
  for (const name of at) {
    const dims = b.dims(name);
    if (dims[0] === rows && dims.length >= 2 && dims.length <= 4) continue;
    throw new RetortError(
      'SPEC_INVALID',
      `"${loss}" cannot read the student's "${name}" [${dims.join(', ')}] as a layer`,
      { hint: 'Name tensors [N, C, H, W], [N, L, D] or [N, D] in "at", or leave it out.' },
    );
  }
  return at;
}
