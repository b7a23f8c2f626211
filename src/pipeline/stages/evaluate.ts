import { metrics } from '../../core/metrics/index.ts';
import type { Metric, MetricValue, Scores } from '../../core/metrics/metric.ts';
import { cancelled } from '../cancelled.ts';
import type { ModelCard } from '../model-card.ts';
import { openRows, rowsKey } from '../open-rows.ts';
import { openTeacher } from '../open-teacher.ts';
import type { ModelReport, ModelRole } from '../report.ts';
import type { Exported } from '../results.ts';
import { scoreRepeats } from '../score-repeats.ts';
import { scoreRows } from '../score-rows.ts';
import type { Scorer } from '../scorer.ts';
import type { Stage } from '../stage.ts';
import { studentScorer } from '../student-scorer.ts';

/** Teacher, control and student on the test split, which nothing before has looked at. */
export const evaluate: Stage<'evaluate'> = {
  name: 'evaluate',
  summary: 'evaluates on the test split',
  version: 1,
  key: ({ inspect, decode, export: exported, train, control }, { spec }) => ({
    teacher: inspect.plan,
    exported,
    files: decode.files,
    rows: rowsKey(spec),
    device: spec.train.device,
    metrics: Object.keys(metrics),
    ...(train.repeated ? { repeated: [train.repeated, control?.repeated] } : {}),
  }),
  async run(done, context) {
    const { plan, card } = done.inspect;
    const { student, control } = done.export;
    const { blobs, runtime, spec, signal, progress } = context;
    const rows = await openRows(done, context);
    const { test } = rows.dataset.splits;
    const { classes } = plan.scores;
    const seeds = done.train.repeated?.runs.length ?? 1;
    const total = test.length * (1 + seeds * (control ? 2 : 1));
    let before = 0;
    const score = async (scorer: Scorer): Promise<Float32Array> => {
      const onRows = (n: number): void => {
        if (signal.aborted) throw cancelled('evaluate');
        progress(before + n, total);
      };
      try {
        return await scoreRows(scorer, rows.plain, test, { input: plan.input.name, classes, onRows });
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
    try {
      const labels = Int32Array.from(test, (row) => rows.dataset.labels[row]!);
      const teacherLogits = await score(await openTeacher(plan, context));
      const report = async (card: ModelCard, logits: Float32Array): Promise<ModelReport> => ({
        metrics: figures({ classes, logits, labels, teacherLogits }),
        parameters: card.parameters,
        macs: card.macs,
        bytes: card.bytes,
      });
      const models: Partial<Record<ModelRole, ModelReport>> = { teacher: await report(card, teacherLogits) };
      if (control) models.control = await report(control.card, await score(await open(control)));
      models.student = await report(student.card, await score(await open(student)));
      const repeated = await scoreRepeats(done, models, rows, context, async (scorer) =>
        figures({ classes, logits: await score(scorer), labels, teacherLogits }),
      );
      return { models, classes: rows.dataset.classes, rows: test.length, ...repeated };
    } finally {
      await rows.dataset.close();
    }
  },
};

const figures = (scores: Scores): Record<string, MetricValue> =>
  Object.fromEntries(Object.values(metrics).map((metric: Metric) => [metric.name, metric.compute(scores)]));
