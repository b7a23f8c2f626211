import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Results } from '../results.ts';
import { rowsKey } from './open-rows.ts';

/** Before the stage `recover` there are stand-ins for what it makes. */
type OpenedRows = Pick<Results, 'ingest' | 'decode' | 'inspect' | 'qualify'> &
  Partial<Pick<Results, 'recover'>>;

/** What decides the rows a run sees and the tensor it reads them from. */
export const openRowsKey = (
  { ingest, decode, inspect, qualify, recover }: OpenedRows,
  spec: ResolvedSpec,
) => ({
  // An uploaded student is among them.
  companions: ingest.companions,
  files: decode.files,
  recovered: recover?.pictures,
  rows: rowsKey(spec),
  input: inspect.plan.input,
  // Left out where there are none, so that such trainings keep the key they had.
  ...(inspect.plan.constants.length > 0 ? { constants: inspect.plan.constants } : {}),
  classes: inspect.plan.scores.classes,
  statistics: qualify.inputStatistics,
});

/**
 * What decides the student and its recipe, apart from objective and teacher. How often it is saved, why by this kernel, and where
 * and in what batches the teacher runs decide nothing: its logits and hidden tensors have their own place in keys.
 */
export function trainKey({ student, train, seed }: ResolvedSpec) {
  const {
    checkpointEvery: _checkpointEvery,
    kernelReason: _kernelReason,
    teacherDevice: _teacherDevice,
    teacherRows: _teacherRows,
    ...recipe
  } = train;
  return { student, recipe, seed };
}
