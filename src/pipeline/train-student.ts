import { metrics } from '../core/metrics/index.ts';
import { decodeModel } from '../core/onnx/decode.ts';
import { encodeModel } from '../core/onnx/encode.ts';
import type { Model } from '../core/onnx/model.ts';
import { inferenceMode } from '../core/onnx/passes/inference-mode.ts';
import { applyPass } from '../core/onnx/passes/pass.ts';
import { buildProgram, needsOf, type ObjectiveTerm } from '../core/program/build-program.ts';
import type { StoredDataset } from '../data/open-dataset.ts';
import { stepsPerEpoch } from '../data/order.ts';
import { RetortError } from '../errors.ts';
import type { ResolvedTrain } from '../spec/resolved-spec.ts';
import { ShuffledBatches } from './batch-source.ts';
import { buildStudent } from './build-student.ts';
import { loadLogits } from './logits-store.ts';
import { openRows, type Rows } from './open-rows.ts';
import type { Results } from './results.ts';
import { scoreRows } from './score-rows.ts';
import type { StageContext } from './stage.ts';
import { STUDENT_INPUT } from './student-names.ts';
import { studentScorer } from './student-scorer.ts';
import { withSnapshot } from './trained-model.ts';
import { type Trained, type TrainingRun, trainingRun } from './training-run.ts';
import { validationRows } from './validation-rows.ts';

export interface StudentRun {
  readonly name: 'train' | 'control';
  readonly terms: readonly ObjectiveTerm[];
  /** The control: only rows with a usable label are shown, and nothing stops it early. */
  readonly isControl: boolean;
}

/** The untrained student of a job: what both runs start from. */
export async function studentOf(done: Results, { spec, blobs }: StageContext, rows: Rows): Promise<Model> {
  const models = new Map<string, Model>();
  if (spec.student.kind === 'model') {
    for (const { name, hash } of done.ingest.companions) {
      if (name === spec.student.file) models.set(name, decodeModel(await blobs.get(hash)));
    }
  }
  return buildStudent({
    models,
    choice: spec.student,
    dims: rows.input.dims,
    layout: rows.input.layout,
    classes: done.inspect.plan.scores.classes,
    statistics: done.qualify.inputStatistics,
    seed: spec.seed,
  });
}

/** Trains the student on an objective; the control is the same run on another objective. */
export async function trainStudent(run: StudentRun, done: Results, context: StageContext): Promise<Trained> {
  const rows = await openRows(done, context);
  try {
    return await trainingRun(await plan(run, done, context, rows), context);
  } finally {
    await rows.dataset.close();
  }
}

async function plan(
  { name, terms, isControl }: StudentRun,
  done: Results,
  context: StageContext,
  rows: Rows,
): Promise<TrainingRun> {
  const { spec, blobs, kernels } = context;
  const { plan: teacher } = done.inspect;
  const { classes } = teacher.scores;
  const settings = isControl ? controlRecipe(spec.train) : spec.train;
  const student = await studentOf(done, context, rows);
  const dataset = isControl ? withLabelledOnly(rows.dataset) : rows.dataset;
  const needs = needsOf(terms);
  const { train } = dataset.splits;
  const views = done.teach.train;
  let loaded: { readonly index: number; readonly logits: Promise<Float32Array> } | undefined;
  const teacherLogits = (epoch: number): Promise<Float32Array> => {
    const index = Math.min(epoch, views.length - 1);
    if (loaded?.index !== index) loaded = { index, logits: loadLogits(blobs, views[index]!) };
    return loaded.logits;
  };
  // Rounds and length are the student's, so that a control on fewer rows makes as many steps.
  const roundSteps = stepsPerEpoch(rows.dataset.splits.train.length, settings.batchSize);
  const kernel = kernels[settings.kernel];
  if (!kernel) throw new RetortError('RUNTIME_UNAVAILABLE', `there is no kernel "${settings.kernel}" here`);
  return {
    name,
    kernel,
    settings,
    seed: spec.seed,
    program: buildProgram({
      student,
      terms,
      batchSize: settings.batchSize,
      optimizer: settings.optimizer,
      ...(settings.clipNorm === undefined ? {} : { clipNorm: settings.clipNorm }),
      ...(settings.ema === undefined ? {} : { ema: settings.ema }),
    }),
    batches: new ShuffledBatches({
      input: teacher.input.name,
      maker: settings.augment.length > 0 ? rows.augmented(dataset) : rows.plain,
      rows: train,
      batchSize: settings.batchSize,
      classes,
      seed: spec.seed,
      labels: needs.has('labels'),
      ...(needs.has('teacher-logits') ? { teacher: teacherLogits } : {}),
    }),
    totalSteps: 'steps' in settings.length ? settings.length.steps : settings.length.epochs * roundSteps,
    roundSteps,
    validate: await validator(student, done, context, rows),
  };
}

/**
 * The control makes every step of the length: were it stopped by its own validation, the student could have learned
 * longer than what it is compared with.
 */
export function controlRecipe({ earlyStopping: _earlyStopping, ...recipe }: ResolvedTrain): ResolvedTrain {
  return recipe;
}

/** Only rows whose label may be used. */
const withLabelledOnly = (dataset: StoredDataset): StoredDataset => ({
  ...dataset,
  splits: { ...dataset.splits, train: dataset.splits.train.filter((row) => dataset.labelled[row]) },
});

/** Figures on the validation rows, from the exported form of a snapshot in the runtime. */
async function validator(
  student: Model,
  done: Results,
  { blobs, runtime, spec }: StageContext,
  { dataset, plain }: Rows,
): Promise<TrainingRun['validate']> {
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const rows = validationRows(dataset);
  const labels = Int32Array.from(rows, (row) => dataset.labels[row]!);
  const teacherLogits = await loadLogits(blobs, done.teach.validation);
  const hasLabels = labels.some((label) => label >= 0);
  return async (snapshot) => {
    const model = applyPass(inferenceMode, withSnapshot(student, snapshot, spec.train.ema !== undefined), {});
    const session = await runtime.open(encodeModel(model), {
      device: spec.train.device,
      threads: spec.train.threads,
    });
    const scorer = studentScorer(session, plan, { ...plan.input, name: STUDENT_INPUT, dtype: 'float32' });
    try {
      const logits = await scoreRows(scorer, plain, rows, { input: plan.input.name, classes });
      const scores = { classes, logits, labels, teacherLogits };
      const accuracy = metrics.accuracy.compute(scores) as number | null;
      const agreement = metrics.agreement.compute(scores) as number | null;
      return { score: hasLabels ? accuracy : agreement, figures: { accuracy, agreement } };
    } finally {
      await scorer.close();
    }
  };
}
