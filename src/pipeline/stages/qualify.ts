import type { TeacherQuality } from '../../core/metrics/teacher-quality.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { toFloat32 } from '../convert-array.ts';
import { spread } from '../logits/score-rows.ts';
import type { QualifiedTeacher } from '../results.ts';
import type { Stage, StageContext } from '../stage.ts';
import { aboutTeacher } from '../teacher/about-teacher.ts';
import { inputRange } from '../teacher/input-range.ts';
import { jobTeachers } from '../teacher/job-teachers.ts';
import { lossesTaking, valueWarnings } from '../teacher/misread-scores.ts';
import { openTeacher } from '../teacher/open-teacher.ts';
import { type Judged, judge, qualityError } from '../teacher/quality-gate.ts';
import { refuseInferredScores } from '../teacher/refuse-inferred-scores.ts';
import { refuseMissingLabels } from '../teacher/refuse-missing-labels.ts';
import { type ClassNames, resolveClassMap } from '../teacher/resolve-class-map.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { teacherRows } from '../teacher/teacher-rows.ts';
import { unknownQuality } from '../teacher/unknown-quality.ts';
import { openOtherRows, openRows, type Rows, rowsKey } from '../training/open-rows.ts';

const STATISTICS_ROWS = 1024;

/** Whether teacher and data fit and the teacher is worth learning from, before compute is spent. */
export const qualify: Stage<'qualify'> = {
  name: 'qualify',
  summary: 'checks the teacher on labelled rows',
  version: 6,
  key: ({ inspect, decode }, { spec }) => ({
    teacher: inspect.plan,
    files: decode.files,
    rows: rowsKey(spec),
    override: spec.teacherQuality.override,
    device: spec.train.teacherDevice,
    values: lossesTaking('values', spec),
    others: inspect.others?.map(({ file, plan }, i) => {
      const { inputs, labels } = spec.ensemble!.others[i]!;
      return { file, plan, inputs, labels, files: decode.others![i] };
    }),
  }),
  async run(done, context) {
    const rows = await openRows(done, context);
    const { plan } = done.inspect;
    const [own, ...others] = jobTeachers(done, context.spec);
    try {
      const range = await inputRange(rows, plan);
      const { quality, warnings } = await qualified({ ...own, rows }, context);
      const card = rows.dataset.card();
      if (card.duplicates.across > 0) {
        warnings.push(`${card.duplicates.across} rows of validation or test are also in a split before them`);
      }
      const found: QualifiedTeacher[] = [];
      for (const [i, teacher] of others.entries()) {
        const { file, labels } = context.spec.ensemble!.others[i]!;
        const given = labels ? { file, labels } : { file };
        const map = resolveClassMap(given, teacher.plan.scores.classes, classNames(rows, plan, context.spec));
        const seen = await aboutTeacher(file, () => openOtherRows(teacher, rows, done, context));
        try {
          const asked = { ...teacher, rows: seen, ...(map ? { map } : {}) };
          const judged = await aboutTeacher(file, async () => {
            await inputRange(seen, teacher.plan);
            return qualified(asked, context);
          });
          found.push({ quality: judged.quality, map });
          warnings.push(...judged.warnings.map((warning) => `further teacher "${file}": ${warning}`));
        } finally {
          await seen.close();
        }
      }
      return {
        card,
        labelled: rows.dataset.splits.train.filter((row) => rows.dataset.labelled[row]).length,
        quality,
        ...(context.spec.ensemble ? { others: found } : {}),
        inputStatistics: await statistics(rows, plan.input.name),
        inputRange: range,
        teacherRows: await teacherRows(plan, rows, context),
        warnings,
      };
    } finally {
      await rows.dataset.close();
    }
  },
  settle({ qualify: found }, spec) {
    refuseMissingLabels(found, spec);
    refuseInferredScores(spec, found.others);
    if (spec.train.teacherRows !== undefined) return spec;
    return { ...spec, train: { ...spec.train, teacherRows: found.teacherRows.rows } };
  },
};

/** A teacher's quality; the refusal of one that is not better than chance. */
async function qualified(
  asked: Omit<Judged, 'scorer'>,
  context: StageContext,
): Promise<{ readonly quality: TeacherQuality | null; readonly warnings: string[] }> {
  const { spec, progress } = context;
  const scorer = await openTeacher(asked.plan, context);
  try {
    const judged = await judge({ ...asked, scorer }, (n, total) => progress(n, total));
    if (!judged) {
      return { quality: null, warnings: [unknownQuality(asked.rows.dataset, asked.map)] };
    }
    const { quality, logits, labels, classes } = judged;
    const misread = valueWarnings(spec, logits, labels, classes);
    if (quality.passes) return { quality, warnings: [...misread] };
    if (!spec.teacherQuality.override) throw await qualityError(quality, { ...asked, scorer }, spec.seed);
    return {
      quality,
      warnings: [
        'the teacher is not better than chance; teacherQuality.override went on regardless',
        ...misread,
      ],
    };
  } finally {
    await scorer.close();
  }
}

/** Classes of the dataset in the order of the teacher's outputs; outputs no class has are named by their number. */
const classNames = ({ dataset }: Rows, { scores }: TeacherPlan, { labels }: ResolvedSpec): ClassNames => ({
  names: Array.from({ length: scores.classes }, (_, c) => dataset.classes[c] ?? String(c)),
  ...(labels.classes ? { indices: labels.classes } : {}),
});

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
