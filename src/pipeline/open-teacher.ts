import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import type { BlobStore, Runtime } from './ports.ts';
import { Scorer } from './scorer.ts';
import type { TeacherPlan } from './teacher-plan.ts';

/** A session of the tapped teacher on the job's device. */
export async function openTeacher(
  plan: TeacherPlan,
  {
    blobs,
    runtime,
    spec,
  }: { readonly blobs: BlobStore; readonly runtime: Runtime; readonly spec: ResolvedSpec },
): Promise<Scorer> {
  const model = await blobs.get(plan.model.hash);
  const { device, threads } = spec.train;
  return new Scorer(await runtime.open(model, { device, threads }), plan);
}
