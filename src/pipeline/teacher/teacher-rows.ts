import { spread } from '../logits/score-rows.ts';
import { viewCount } from '../logits/view-count.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import { chooseTeacherRows, type RowsChoice } from './choose-teacher-rows.ts';
import { openTeacher } from './open-teacher.ts';
import type { TeacherPlan } from './teacher-plan.ts';

const MEASURED_ROWS = 256;

/** How many rows the job's teacher gets at a time, measured on some of its training rows. */
export async function teacherRows(
  plan: TeacherPlan,
  { dataset, plain }: Pick<Rows, 'dataset' | 'plain'>,
  context: Pick<StageContext, 'blobs' | 'runtime' | 'spec' | 'clock'>,
): Promise<RowsChoice> {
  const { train, validation, test } = dataset.splits;
  const { inputs } = await plain.assemble(spread(train, MEASURED_ROWS), 0);
  const scorer = await openTeacher(plan, context);
  try {
    return await chooseTeacherRows(
      {
        sample: inputs[plan.input.name]!,
        asked: viewCount(context.spec, train.length) * train.length + validation.length + test.length,
        fixed: plan.batch,
        run: (rows) => scorer.logits(rows),
      },
      context.clock,
    );
  } finally {
    await scorer.close();
  }
}
