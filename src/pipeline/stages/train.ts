import { needsOf } from '../../core/program/build-program.ts';
import { asksJobTeacher } from '../../core/strategies/check-phases.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Results } from '../results.ts';
import type { Stage } from '../stage.ts';
import { asOne, bestRun, repeatsKey, repeatTraining } from '../training/repeat-training.ts';
import { distilledRun } from '../training/student-run.ts';
import { openRowsKey, trainKey } from '../training/train-key.ts';
import { trainStudent } from '../training/train-student.ts';
import { trainingSeed } from '../training/training-seed.ts';

const VERSION = 3;

/** The student learns from the teacher, in the phases of its strategy; of several seeds the best on validation counts. */
export const train: Stage<'train'> = {
  name: 'train',
  summary: 'trains the student',
  version: VERSION,
  key: (done, { spec }) => ({ ...keyOf(done, spec), ...repeatsKey(spec.seeds) }),
  async run(done, context) {
    const { spec } = context;
    const key = { name: 'train', version: VERSION, key: keyOf(done, spec) };
    const runs = await repeatTraining(key, context, (index, within) =>
      trainStudent({ ...distilledRun(spec), seed: trainingSeed(spec.seed, index) }, done, within),
    );
    return asOne(runs, bestRun(runs));
  },
};

const keyOf = (done: Results, spec: ResolvedSpec) => ({
  ...openRowsKey(done, spec),
  ...trainKey(spec),
  teach: taught(done, spec),
  phases: spec.phases,
  // The teacher is asked again while the student trains; its logits alone do not tell two of them apart.
  ...(spec.phases.some(({ terms }) => needsOf(terms).has('features'))
    ? { teacher: done.inspect.plan, teacherDevice: spec.train.teacherDevice }
    : {}),
});

/**
 * What of the teacher's logits is read. Once `choose` has settled on the labels alone nobody asks for training rows, and
 * a resumed job makes no such views: they must not tell its key from that of the attempt before.
 */
const taught = ({ teach }: Results, { phases }: ResolvedSpec) =>
  phases.some(asksJobTeacher) ? teach : { validation: teach.validation };
