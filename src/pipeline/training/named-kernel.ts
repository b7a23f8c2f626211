import type { TrainingKernel } from '../../core/program/kernel.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedTrain } from '../../spec/resolved-spec.ts';
import type { Tools } from '../stage.ts';

/** The kernel that a spec names; RUNTIME_UNAVAILABLE where there is none of that name. */
export function namedKernel({ kernel }: ResolvedTrain, kernels: Tools['kernels']): TrainingKernel {
  const found = kernels[kernel];
  if (found) return found;
  throw new RetortError('RUNTIME_UNAVAILABLE', `there is no kernel "${kernel}" here`);
}
