import { toFloat32 } from '../convert-array.ts';
import { openRows, type Rows, rowsKey } from '../open-rows.ts';
import { openTeacher } from '../open-teacher.ts';
import { judge, qualityError } from '../quality-gate.ts';
import { spread } from '../score-rows.ts';
import type { Stage } from '../stage.ts';

const STATISTICS_ROWS = 1024;

/** Whether teacher and data fit and the teacher is worth learning from, before compute is spent. */
export const qualify: Stage<'qualify'> = {
  name: 'qualify',
  summary: 'checks the teacher on labelled rows',
  version: 2,
  key: ({ inspect, decode }, { spec }) => ({
    teacher: inspect.plan,
    files: decode.files,
    rows: rowsKey(spec),
    override: spec.teacherQuality.override,
  }),
  async run(done, context) {
    const rows = await openRows(done, context);
    const { plan } = done.inspect;
    const scorer = await openTeacher(plan, context);
    try {
      const quality = await judge(scorer, rows, plan, (n, total) => context.progress(n, total));
      const warnings = [];
      if (!quality) warnings.push('no row has a label, so the quality of the teacher is unknown');
      if (quality && !quality.passes) {
        if (!context.spec.teacherQuality.override) {
          throw await qualityError(quality, scorer, rows, plan, context.spec);
        }
        warnings.push('the teacher is not better than chance; teacherQuality.override went on regardless');
      }
      const card = rows.dataset.card();
      if (card.duplicates.across > 0) {
        warnings.push(`${card.duplicates.across} rows of validation or test are also in a split before them`);
      }
      return {
        card,
        labelled: rows.dataset.splits.train.filter((row) => rows.dataset.labelled[row]).length,
        quality: quality ?? null,
        inputStatistics: await statistics(rows, plan.input.name),
        warnings,
      };
    } finally {
      await scorer.close();
      await rows.dataset.close();
    }
  },
};

/** Mean and standard deviation of what the teacher is fed, over some training rows. */
async function statistics({ dataset, plain }: Rows, input: string) {
  const rows = spread(dataset.splits.train, STATISTICS_ROWS);
  const { inputs } = await plain.assemble(rows, 0);
  const values = toFloat32(inputs[input]!, input);
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) };
}
