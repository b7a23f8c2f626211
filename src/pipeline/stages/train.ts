import type { Stage } from '../stage.ts';
import { asOne, bestRun, repeatsKey, repeatTraining } from '../training/repeat-training.ts';
import { distilledRun } from '../training/student-run.ts';
import { TRAIN_VERSION, trainRecord } from '../training/train-record.ts';
import { trainStudent } from '../training/train-student.ts';
import { trainingSeed } from '../training/training-seed.ts';

/** The student learns from the teacher, in the phases of its strategy; of several seeds the best on validation counts. */
export const train: Stage<'train'> = {
  name: 'train',
  summary: 'trains the student',
  version: TRAIN_VERSION,
  key: (done, { spec }) => ({ ...trainRecord(done, spec).key, ...repeatsKey(spec.seeds) }),
  async run(done, context) {
    const { spec } = context;
    const runs = await repeatTraining(trainRecord(done, spec), context, (index, within) =>
      trainStudent({ ...distilledRun(spec), seed: trainingSeed(spec.seed, index) }, done, within),
    );
    return asOne(runs, bestRun(runs));
  },
};
