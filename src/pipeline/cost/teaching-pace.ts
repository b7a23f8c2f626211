import { SCORE_BATCH, scoreRows, spread } from '../logits/score-rows.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { type JobTeacher, jobTeachers } from '../teacher/job-teachers.ts';
import { openTeacher } from '../teacher/open-teacher.ts';
import { openOtherRows, type Rows } from '../training/open-rows.ts';
import { paceOf } from './pace.ts';

const BUDGET_MS = 1500;
const SEEN_ROWS = 2048;
/** Rows of the first batch, by which a slow teacher is known. */
const FEW = 4;

/** What the teacher costs, milliseconds. */
export interface TeachingPace {
  readonly open: number;
  /** For one training row, with what it takes to make the row, augmented as in training. */
  readonly row: number;
  /** The same of the job's own teacher alone. */
  readonly own: number;
}

/** Opens every teacher and asks it for some batches of training rows; the sums of all. */
export async function teachingPace(
  done: Pick<Results, 'inspect' | 'decode'>,
  rows: Rows,
  context: Pick<StageContext, 'blobs' | 'runtime' | 'spec' | 'clock'>,
): Promise<TeachingPace> {
  const [own, ...others] = jobTeachers(done, context.spec);
  const first = await onePace(own, rows, context, context.spec.train.teacherRows);
  let { open, row } = first;
  for (const teacher of others) {
    const seen = await openOtherRows(teacher, rows, done, context);
    try {
      const pace = await onePace(teacher, seen, context);
      open += pace.open;
      row += pace.row;
    } finally {
      await seen.close();
    }
  }
  return { open, row, own: first.row };
}

async function onePace(
  { plan }: JobTeacher,
  rows: Rows,
  context: Pick<StageContext, 'blobs' | 'runtime' | 'spec' | 'clock'>,
  rowsPerRun = SCORE_BATCH,
): Promise<Omit<TeachingPace, 'own'>> {
  const { spec, clock } = context;
  const maker = spec.train.augment.length > 0 ? rows.augmented() : rows.plain;
  const seen = spread(rows.dataset.splits.train, SEEN_ROWS);
  const options = { input: plan.input.name, classes: plan.scores.classes, batch: rowsPerRun };
  const started = clock.precise();
  const scorer = await openTeacher(plan, context);
  const open = clock.precise() - started;
  try {
    const score = async (from: number, count: number): Promise<number> => {
      const part = Uint32Array.from(
        { length: Math.min(count, seen.length) },
        (_, i) => seen[(from + i) % seen.length]!,
      );
      await scoreRows(scorer, maker, part, options);
      return part.length;
    };
    const few = await paceOf(clock, 0, () => score(0, FEW));
    const batch = few * rowsPerRun < BUDGET_MS ? rowsPerRun : FEW;
    return { open, row: await paceOf(clock, BUDGET_MS, (round) => score(round * batch, batch)) };
  } finally {
    await scorer.close();
  }
}
