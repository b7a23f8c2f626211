import { metrics } from '../../core/metrics/index.ts';
import { cancelled } from '../cancelled.ts';
import { SCORE_BATCH, scoreRows } from '../logits/score-rows.ts';
import type { Scorer } from '../logits/scorer.ts';
import { type Answer, finiteRows } from '../report/finite-rows.ts';
import type { ModelCard } from '../report/model-card.ts';
import { modelReport } from '../report/model-report.ts';
import type { ModelReport, ModelRole } from '../report/report.ts';
import { scoreRepeats } from '../report/score-repeats.ts';
import type { Exported, Trained } from '../results.ts';
import type { Stage } from '../stage.ts';
import { studentScorer } from '../student/student-scorer.ts';
import { type JobTeacher, jobTeachers } from '../teacher/job-teachers.ts';
import { judgeEnsemble } from '../teacher/judge-ensemble.ts';
import { openTeacher } from '../teacher/open-teacher.ts';
import { teacherBatch } from '../teacher/teacher-batch.ts';
import { validateTeacher } from '../teacher/validate-teacher.ts';
import { openOtherRows, openRows, type Rows, rowsKey } from '../training/open-rows.ts';

/** Teacher, control and student on the test split, which nothing before has looked at. */
export const evaluate: Stage<'evaluate'> = {
  name: 'evaluate',
  summary: 'evaluates on the test split',
  version: 4,
  key: ({ inspect, decode, qualify, teach, export: exported, train, control }, { spec }) => ({
    teacher: inspect.plan,
    exported,
    files: decode.files,
    rows: rowsKey(spec),
    validation: teach.validation,
    device: spec.train.device,
    teacherDevice: spec.train.teacherDevice,
    batch: teacherBatch(spec, 0),
    metrics: Object.keys(metrics),
    repeated: [snapshotsOf(train), snapshotsOf(control)],
    ensemble: spec.ensemble && { ...spec.ensemble, inspect, decode, qualify, weights: teach.weights },
  }),
  async run(done, context) {
    const { plan, card } = done.inspect;
    const { student, control } = done.export;
    const { blobs, runtime, spec, signal, progress } = context;
    const rows = await openRows(done, context);
    const { test } = rows.dataset.splits;
    const { classes } = plan.scores;
    const seeds = done.train.repeated?.runs.length ?? 1;
    const asked = jobTeachers(done, spec);
    const total = test.length * (asked.length + seeds * (control ? 2 : 1));
    let before = 0;
    let seen = test;
    const score = async (
      scorer: Scorer,
      { plain }: Pick<Rows, 'plain'> = rows,
      { input, scores } = plan,
      batch = SCORE_BATCH,
    ): Promise<Float32Array> => {
      const onRows = (n: number): void => {
        if (signal.aborted) throw cancelled('evaluate');
        progress(before + n, total);
      };
      try {
        return await scoreRows(scorer, plain, seen, {
          input: input.name,
          classes: scores.classes,
          batch,
          onRows,
        });
      } finally {
        before += test.length;
        await scorer.close();
      }
    };
    const open = async ({ tapped }: Exported): Promise<Scorer> => {
      const { device, threads } = spec.train;
      const session = await runtime.open(await blobs.get(tapped.hash), { device, threads });
      return studentScorer(session, plan, plan.input);
    };
    const askOther = async (teacher: JobTeacher): Promise<Float32Array> => {
      const others = await openOtherRows(teacher, rows, done, context);
      try {
        return await score(await openTeacher(teacher.plan, context), others, teacher.plan);
      } finally {
        await others.close();
      }
    };
    try {
      const own = await score(await openTeacher(plan, context), rows, plan, teacherBatch(spec, 0));
      const answers: Answer[] = [{ who: 'the teacher', logits: own, classes }];
      for (const teacher of asked.slice(1)) {
        const who = `further teacher "${teacher.name}"`;
        answers.push({ who, logits: await askOther(teacher), classes: teacher.plan.scores.classes });
      }
      const finite = finiteRows(test, answers);
      seen = finite.rows;
      const labels = Int32Array.from(seen, (row) => rows.dataset.labels[row]!);
      const ensemble = judgeEnsemble(finite.logits, labels, rows.dataset.classes, done, spec);
      const teacherLogits = ensemble?.logits ?? finite.logits[0]!;
      const report = (card: ModelCard, logits: Float32Array): ModelReport =>
        modelReport({ classes, logits, labels, teacherLogits }, card);
      const models: Partial<Record<ModelRole, ModelReport>> = { teacher: report(card, finite.logits[0]!) };
      if (ensemble) models.ensemble = ensemble.model;
      if (control) models.control = report(control.card, await score(await open(control)));
      models.student = report(student.card, await score(await open(student)));
      const repeated = await scoreRepeats(
        done,
        models,
        rows,
        context,
        async (scorer) => report(student.card, await score(scorer)).metrics,
      );
      return {
        models,
        ...(ensemble ? { ensemble: ensemble.report } : {}),
        classes: rows.dataset.classes,
        rows: seen.length,
        warnings: finite.warnings,
        validation: await validateTeacher(done, rows, context),
        ...repeated,
      };
    } finally {
      await rows.dataset.close();
    }
  },
};

/** Students of all seeds, without what they took. */
const snapshotsOf = (trained: Trained | null) =>
  trained?.repeated && {
    chosen: trained.repeated.chosen,
    snapshots: trained.repeated.runs.map(({ snapshot }) => snapshot),
  };
