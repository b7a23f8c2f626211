import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { Scorer } from '../logits/scorer.ts';
import type { BlobStore, Device, Runtime } from '../ports.ts';
import type { TeacherPlan } from './teacher-plan.ts';

/** A session of the tapped teacher, on its own device unless told otherwise. */
export async function openTeacher(
  plan: TeacherPlan,
  {
    blobs,
    runtime,
    spec,
  }: { readonly blobs: BlobStore; readonly runtime: Runtime; readonly spec: ResolvedSpec },
  device: Device = spec.train.teacherDevice,
): Promise<Scorer> {
  const model = await blobs.get(plan.model.hash);
  const { threads } = spec.train;
  return new Scorer(await runtime.open(model, { device, threads }), plan);
}
