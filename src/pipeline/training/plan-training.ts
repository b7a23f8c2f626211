import type { Model } from '../../core/onnx/model.ts';
import { buildProgram, needsOf } from '../../core/program/build-program.ts';
import { isHard } from '../../core/strategies/terms.ts';
import type { BatchMaker } from '../../data/batch.ts';
import type { StoredDataset } from '../../data/open-dataset.ts';
import { stepsPerEpoch } from '../../data/order.ts';
import type { ResolvedTrain } from '../../spec/resolved-spec.ts';
import type { FeaturePlan } from '../layers/feature-plan.ts';
import type { FeatureSource } from '../layers/feature-teacher.ts';
import { withOwnLayers } from '../layers/own-layers.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { ShuffledBatches } from './batch-source.ts';
import type { BesideAssembler } from './batches-beside.ts';
import { namedKernel } from './named-kernel.ts';
import type { Rows } from './open-rows.ts';
import type { PlacedPhase } from './place-phases.ts';
import { controlRecipe, type StudentRun } from './student-run.ts';
import type { TrainingRun } from './training-run.ts';

/** A phase but for its validation: Program, kernel, data and length. */
export type TrainingPlan = Omit<TrainingRun, 'validate' | 'stepsBefore'>;

export interface PlanRequest extends Pick<StudentRun, 'name' | 'isControl'> {
  readonly phase: PlacedPhase;
  /** With the weights it starts from. */
  readonly student: Model;
  readonly rows: Rows;
  /** Logits of the phase's teachers on the training rows in an epoch. */
  teacher(epoch: number): Promise<Float32Array>;
  /** What its terms compare of hidden tensors, where they do, and who makes the teacher's. */
  readonly features?: Pick<FeaturePlan, 'terms' | 'taps'> & FeatureSource;
  /** Where the batches of a maker, so many rows in all, are made. Default: in this thread, when they are asked for. */
  readonly beside?: (maker: BatchMaker, rows: number) => BesideAssembler;
}

/** What a phase trains and on what; read by the training itself and by the estimate of its cost. */
export function planTraining(
  { name, isControl, phase, student, rows, teacher, features, beside = inThisThread }: PlanRequest,
  { inspect }: Pick<Results, 'inspect'>,
  { spec, kernels }: Pick<StageContext, 'spec' | 'kernels'>,
): TrainingPlan {
  const settings = settingsOf(phase, isControl ? controlRecipe(spec.train) : spec.train);
  const { batchSize, optimizer, clipNorm, ema } = settings;
  const terms = withOwnLayers(features?.terms ?? phase.terms, student);
  const needs = needsOf(terms);
  const dataset = isControl || phase.terms.every(isHard) ? withLabelledOnly(rows.dataset) : rows.dataset;
  return {
    name,
    phase,
    kernel: namedKernel(settings, kernels),
    settings,
    seed: phaseSeed(spec.seed, phase.root),
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
      maker: beside(
        settings.augment.length > 0 ? rows.augmented(dataset) : rows.plain,
        phase.steps * batchSize,
      ),
      rows: dataset.splits.train,
      batchSize,
      classes: inspect.plan.scores.classes,
      seed: spec.seed,
      labels: needs.has('labels'),
      ...(needs.has('teacher-logits') ? { teacher } : {}),
      ...(features ? { features } : {}),
    }),
    ...(features ? { taps: features.taps } : {}),
    // Rounds are the student's, so that a control on fewer rows is looked at as often.
    roundSteps: stepsPerEpoch(rows.dataset.splits.train.length, batchSize),
  };
}

const inThisThread = (maker: BatchMaker): BesideAssembler => ({
  isBeside: false,
  assemble: (rows, epoch) => maker.assemble(rows, epoch),
  close: async () => {},
});

function settingsOf({ select }: PlacedPhase, { earlyStopping, ...train }: ResolvedTrain): ResolvedTrain {
  if (select) return { ...train, select };
  return { ...train, ...(earlyStopping ? { earlyStopping } : {}) };
}

/** Noise is a function of seed and step; phases that continue one another count on. The first has the job's seed. */
const phaseSeed = (seed: number, root: number): number => (seed + Math.imul(root, 0x9e3779b1)) >>> 0;

/** Only rows whose label may be used. */
const withLabelledOnly = (dataset: StoredDataset): StoredDataset => ({
  ...dataset,
  splits: { ...dataset.splits, train: dataset.splits.train.filter((row) => dataset.labelled[row]) },
});
