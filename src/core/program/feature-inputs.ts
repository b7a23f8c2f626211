import { invariant } from '../../errors.ts';
import type { FeaturePair, FeatureUse, ObjectiveParts } from '../losses/features.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { alignFeatures } from './align-features.ts';
import type { ObjectiveTerm } from './build-program.ts';
import type { StudentRows } from './student-rows.ts';

/** A tensor of the teacher that the objective reads. */
export interface TeacherTap {
  readonly name: string;
  /** Of one row. */
  readonly dims: readonly number[];
}

/** The Program's inputs for these taps, `teacher_features_0` and so on; dims of one row. */
export const tapInputs = (taps: readonly TeacherTap[]): readonly TeacherTap[] =>
  taps.map(({ dims }, i) => ({ name: `teacher_features_${i}`, dims }));

interface Sides {
  readonly taps: readonly TeacherTap[];
  readonly rowsOf: StudentRows;
}

/** The pairs a term names, found to hold the rows of both and aligned as its loss wants them. */
export function featurePairs(
  b: GraphBuilder,
  { loss, from, to }: ObjectiveTerm,
  use: FeatureUse,
  { taps, rowsOf }: Sides,
  partsOf: (pair: number) => ObjectiveParts,
): FeaturePair[] {
  invariant(from && to && from !== 'auto' && to !== 'auto', `the tensors of "${loss}" are not settled`);
  invariant(from.length === to.length && from.length > 0, `"${loss}" has not as many "from" as "to"`);
  const inputs = tapInputs(taps);
  return from.map((name, i) => {
    const at = taps.findIndex((tap) => tap.name === name);
    invariant(at >= 0, `"${name}" is no tap of the teacher`);
    rowsOf(to[i]!, 'to');
    const pair = { student: to[i]!, teacher: inputs[at]!.name };
    return alignFeatures(b, pair, use, partsOf(i), { loss, from: name });
  });
}
