import type { Model } from '../core/onnx/model.ts';
import { buildProgram, needsOf } from '../core/program/build-program.ts';
import type { StoredDataset } from '../data/open-dataset.ts';
import { stepsPerEpoch } from '../data/order.ts';
import { RetortError } from '../errors.ts';
import { ShuffledBatches } from './batch-source.ts';
import type { FeaturePlan } from './feature-plan.ts';
import type { FeatureSource } from './feature-teacher.ts';
import type { Rows } from './open-rows.ts';
import type { Results } from './results.ts';
import type { StageContext } from './stage.ts';
import { controlRecipe, type StudentRun } from './student-run.ts';
import type { TrainingRun } from './training-run.ts';

/** A run but for its validation: Program, kernel, data and length. */
export type TrainingPlan = Omit<TrainingRun, 'validate'>;

export interface PlanRequest extends StudentRun {
  readonly student: Model;
  readonly rows: Rows;
  /** Teacher logits of the training rows in an epoch. */
  teacher(epoch: number): Promise<Float32Array>;
  /** What its terms compare of hidden tensors, where they do, and who makes the teacher's. */
  readonly features?: Pick<FeaturePlan, 'terms' | 'taps'> & FeatureSource;
}

/** What a run trains and on what; read by the training itself and by the estimate of its cost. */
export function planTraining(
  { name, terms: written, isControl, student, rows, teacher, features }: PlanRequest,
  { inspect }: Pick<Results, 'inspect'>,
  { spec, kernels }: Pick<StageContext, 'spec' | 'kernels'>,
): TrainingPlan {
  const settings = isControl ? controlRecipe(spec.train) : spec.train;
  const { batchSize, optimizer, clipNorm, ema, length } = settings;
  const dataset = isControl ? withLabelledOnly(rows.dataset) : rows.dataset;
  const terms = features?.terms ?? written;
  const needs = needsOf(terms);
  // Rounds and length are the student's, so that a control on fewer rows makes as many steps.
  const roundSteps = stepsPerEpoch(rows.dataset.splits.train.length, batchSize);
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
      batchSize,
      optimizer,
      seed: spec.seed,
      ...(features ? { taps: features.taps } : {}),
      ...(clipNorm === undefined ? {} : { clipNorm }),
      ...(ema === undefined ? {} : { ema }),
    }),
    batches: new ShuffledBatches({
      input: inspect.plan.input.name,
      maker: settings.augment.length > 0 ? rows.augmented(dataset) : rows.plain,
      rows: dataset.splits.train,
      batchSize,
      classes: inspect.plan.scores.classes,
      seed: spec.seed,
      labels: needs.has('labels'),
      ...(needs.has('teacher-logits') ? { teacher } : {}),
      ...(features ? { features } : {}),
    }),
    totalSteps: 'steps' in length ? length.steps : length.epochs * roundSteps,
    roundSteps,
  };
}

/** Only rows whose label may be used. */
const withLabelledOnly = (dataset: StoredDataset): StoredDataset => ({
  ...dataset,
  splits: { ...dataset.splits, train: dataset.splits.train.filter((row) => dataset.labelled[row]) },
});
