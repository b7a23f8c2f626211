import { needsOf } from '../../core/program/build-program.ts';
import { asksJobTeacher } from '../../core/strategies/check-phases.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { RecordKey } from '../recorded.ts';
import type { Results } from '../results.ts';
import { openRowsKey, trainKey } from './train-key.ts';

export const TRAIN_VERSION = 4;

/** What the record of one training goes by. */
export interface TrainRecord extends RecordKey {
  readonly key: object;
}

/**
 * Of the student's training in a job of this spec, the first where it has several: the same in the stage `train` and as a
 * trial of `choose`.
 */
export const trainRecord = (
  done: Pick<Results, 'ingest' | 'decode' | 'inspect' | 'qualify' | 'recover' | 'teach'>,
  spec: ResolvedSpec,
): TrainRecord => ({
  name: 'train',
  version: TRAIN_VERSION,
  key: {
    ...openRowsKey(done, spec),
    ...trainKey(spec),
    teach: taught(done, spec),
    phases: spec.phases,
    // The teacher is asked again while the student trains; its logits alone do not tell two of them apart.
    ...(spec.phases.some(({ terms }) => needsOf(terms).has('features'))
      ? { teacher: done.inspect.plan, teacherDevice: spec.train.teacherDevice }
      : {}),
  },
});

/**
 * What of the teacher's logits is read. Once `choose` has settled on the labels alone nobody asks for training rows, and
 * a resumed job makes no such views: they must not tell its key from that of the attempt before.
 */
const taught = ({ teach }: Pick<Results, 'teach'>, { phases }: ResolvedSpec) =>
  phases.some(asksJobTeacher) ? teach : { validation: teach.validation };
