import type { Model } from '../../core/onnx/model.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import { Random } from '../../core/random.ts';
import { type FeaturePlan, planFeatures } from '../layers/feature-plan.ts';
import type { FeatureSource } from '../layers/feature-teacher.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from './open-rows.ts';
import { type PlacedPhase, placePhases } from './place-phases.ts';
import { planTraining, type TrainingPlan } from './plan-training.ts';
import { distilledRun } from './student-run.ts';

/** The phases of the student's own run. */
export const phasesOf = ({ spec }: Pick<StageContext, 'spec'>, rows: Rows): readonly PlacedPhase[] =>
  placePhases(distilledRun(spec).phases, spec.train, rows.dataset.splits.train.length);

/**
 * A phase of the student's own run, the last if none is named, with what its teachers give drawn at random, for measuring
 * its pace: the numbers cost the same. Asking the teacher for features is not in it. `student` is the one that phase trains.
 */
export async function drawnPlan(
  student: Model,
  done: Pick<Results, 'inspect'>,
  rows: Rows,
  context: StageContext,
  phase: PlacedPhase = phasesOf(context, rows).at(-1)!,
): Promise<TrainingPlan> {
  const { plan } = done.inspect;
  let drawn: Float32Array | undefined;
  const teacher = async (): Promise<Float32Array> => {
    drawn ??= randomLogits(rows.dataset.splits.train.length * plan.scores.classes);
    return drawn;
  };
  const sides = { student, dims: rows.input.dims, plan, blobs: context.blobs };
  const features = await planFeatures(phase.terms, sides);
  const request = {
    ...distilledRun(context.spec),
    phase,
    student,
    rows,
    teacher,
    ...(features ? { features: drawnFeatures(features) } : {}),
  };
  return planTraining(request, done, context);
}

function drawnFeatures({ terms, taps }: FeaturePlan): Pick<FeaturePlan, 'terms' | 'taps'> & FeatureSource {
  return {
    terms,
    taps,
    features: async ({ dims }) => taps.map((tap) => randomLogits(dims[0]! * sizeOf(tap.dims))),
  };
}

/** Numbers of the size of logits; a block of them, repeated. */
export function randomLogits(count: number): Float32Array {
  const random = new Random(0, 'estimate');
  const all = new Float32Array(count);
  const block = Math.min(count, 4099);
  for (let i = 0; i < block; i++) all[i] = 8 * random.uniform() - 4;
  for (let filled = block; filled > 0 && filled < count; filled *= 2) {
    all.copyWithin(filled, 0, Math.min(filled, count - filled));
  }
  return all;
}
