import type { Model } from '../../core/onnx/model.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import { type FeaturePlan, planFeatures } from './feature-plan.ts';
import { type FeatureSource, FeatureTeacher } from './feature-teacher.ts';

export interface OpenFeatures extends Pick<FeaturePlan, 'terms' | 'taps'>, FeatureSource {
  close(): Promise<void>;
}

/** Opens the teacher for the hidden tensors that terms compare; undefined where none does. */
export async function openFeatures(
  terms: readonly ObjectiveTerm[],
  { student, rows }: { readonly student: Model; readonly rows: Rows },
  { inspect: { plan } }: Pick<Results, 'inspect'>,
  context: Pick<StageContext, 'blobs' | 'runtime' | 'spec'>,
): Promise<OpenFeatures | undefined> {
  const planned = await planFeatures(terms, {
    student,
    dims: rows.input.dims,
    plan,
    blobs: context.blobs,
  });
  if (!planned) return undefined;
  const teacher = await FeatureTeacher.open(planned, plan, context);
  return {
    terms: planned.terms,
    taps: planned.taps,
    features: (batch) => teacher.features(batch),
    close: () => teacher.close(),
  };
}
