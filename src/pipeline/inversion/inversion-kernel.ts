import type { TrainingKernel } from '../../core/program/kernel.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedTrain } from '../../spec/resolved-spec.ts';
import { consideredKernels } from '../choice/considered-kernels.ts';
import type { Tools } from '../stage.ts';

/** The kernel that recovers pictures: the one the spec names, else the first of those worth a try. */
export async function considerKernel(
  train: ResolvedTrain,
  kernels: Tools['kernels'],
): Promise<TrainingKernel> {
  const { worth } = await consideredKernels(train, kernels);
  const kernel = kernels[worth[0]!];
  if (kernel) return kernel;
  throw new RetortError('RUNTIME_UNAVAILABLE', `there is no kernel "${worth[0]}" here`);
}
