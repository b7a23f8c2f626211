import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { foundPairs, foundWeights } from '../layers/found-pairs.ts';
import { misplacedAssistants } from '../report/assistants.ts';
import { modelCardText } from '../report/model-card-text.ts';
import type { Report, TrainingReport } from '../report/report.ts';
import type { Exported, Results, Trained } from '../results.ts';
import type { Artifact, Stage, StageContext } from '../stage.ts';
import { teacherWarnings } from '../teacher/teacher-warnings.ts';
import { controlOf } from '../training/control-of.ts';
import type { StepTimes } from '../training/train-chunk.ts';

/** The files a user gets. */
export const publish: Stage<'publish'> = {
  name: 'publish',
  summary: 'writes report, manifest and model card',
  version: 2,
  async run(done, context) {
    const report = reportOf(done, context);
    const put = async (name: string, text: string): Promise<Artifact> => ({
      name,
      ...(await context.blobs.put(new TextEncoder().encode(text))),
    });
    const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
    const { student, control } = done.export;
    const alone = controlOf(done);
    const artifacts: Artifact[] = [
      { name: 'student.onnx', ...student.model },
      ...(control ? [{ name: 'control.onnx', ...control.model }] : []),
      { name: 'metrics.jsonl', ...done.train.log },
      ...(alone ? [{ name: 'control-metrics.jsonl', ...alone.log }] : []),
      ...(done.recover ? [{ name: 'recovered.npy', ...done.recover.pictures }] : []),
      await put('report.json', json(report)),
      await put('model-card.md', modelCardText(report, done, context.spec)),
      await put('spec.json', json({ requested: context.requested, resolved: context.spec })),
    ];
    return {
      artifacts: [...artifacts, await put('manifest.json', json(manifestOf(artifacts, done, context)))],
    };
  },
};

function reportOf(done: Results, { spec, runtime }: StageContext): Report {
  const training = (trained: Trained, { parity }: Exported): TrainingReport => ({
    steps: trained.steps,
    step: trained.step,
    validation: trained.validation,
    phases: trained.phases,
    parity: parity.difference / Math.max(1, parity.scale),
    ...(trained.times ? { wait: waitOf(trained.times) } : {}),
  });
  const { student, control } = done.export;
  const { terms } = spec.objective;
  const [layers, weights] = [foundPairs(terms), foundWeights(terms)];
  const alone = controlOf(done);
  const { validation, ...evaluated } = done.evaluate;
  const { seeds } = evaluated;
  const reports: Report['training'] = {
    teacher: { validation },
    student: {
      ...training(done.train, student),
      ...(layers.length > 0 ? { layers } : {}),
      ...(weights.length > 0 ? { weights } : {}),
    },
    ...(alone && control ? { control: training(alone, control) } : {}),
  };
  return {
    version: 1,
    ...evaluated,
    ...done.measure,
    ...(done.choose ? { choice: done.choose } : {}),
    training: reports,
    warnings: [
      ...teacherWarnings(done, spec),
      ...evaluated.warnings,
      ...learnedOn(done),
      ...otherSteps(done, spec),
      ...misplacedAssistants(reports, spec.phases),
    ],
    ran: {
      kernel: done.calibrate.kernel,
      kernelReason: done.calibrate.reason,
      device: spec.train.device,
      teacherDevice: spec.train.teacherDevice,
      teacherRows: spec.train.teacherRows ?? done.qualify.teacherRows.rows,
      teacherRowsReason: done.qualify.teacherRows.reason,
      engine: done.train.engine,
      runtime: `onnxruntime ${runtime.version}`,
      seed: seeds ? seeds.runs[seeds.delivered]!.seed : spec.seed,
    },
  };
}

const waitOf = ({ waited, ran }: StepTimes) => ({
  milliseconds: waited,
  share: waited / Math.max(1, waited + ran),
});

/** Where validation is not what it is elsewhere. */
const learnedOn = ({ teach }: Results): string[] =>
  teach.weights?.learned
    ? [
        `weights of the teachers were learned on ${teach.weights.learned.rows} labelled validation rows, so agreement there is no estimate`,
      ]
    : [];

/** Steps of student and control, where they differ. */
function otherSteps(done: Results, { phases }: ResolvedSpec): string[] {
  const { train } = done;
  const control = controlOf(done);
  if (!control || control.steps === train.steps) return [];
  if (phases.length === 1) {
    return [`the student stopped early after ${train.steps} steps; the control made all ${control.steps}`];
  }
  return [
    `the ${phases.length} phases of the strategy made ${train.steps} steps together; the control made ${control.steps}`,
  ];
}

/** What went in, what came out, and by what: enough to make it again. */
const manifestOf = (
  artifacts: readonly Artifact[],
  done: Results,
  { spec, runtime, clock }: StageContext,
) => ({
  version: 1,
  made: new Date(clock.now()).toISOString(),
  inputs: done.ingest,
  artifacts,
  seed: spec.seed,
  versions: { node: process.version, onnxruntime: runtime.version },
  spec,
  teacher: done.inspect.card,
  ...(done.inspect.others ? { teachers: done.inspect.others.map(({ file, card }) => ({ file, card })) } : {}),
  dataset: done.qualify.card,
  quality: done.qualify.quality,
  stages: done.timings,
});
