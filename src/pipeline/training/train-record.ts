import { needsOf } from '../../core/program/build-program.ts';
import { asksJobTeacher } from '../../core/strategies/check-phases.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { RecordKey } from '../recorded.ts';
import type { Results } from '../results.ts';
import { openRowsKey, trainKey } from './train-key.ts';

export const TRAIN_VERSION = 3;

/** What the record of a training goes by, the first of its job: the same in the stage `train` and as a trial of `choose`. */
export interface TrainRecord extends RecordKey {
  readonly key: object;
}

/** Of a spec whose objective is settled; nothing in it says how it was settled, so that all who write it find the same. */
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
