import { RetortError } from '../../errors.ts';
import type { StageContext } from '../stage.ts';
import { askedKernel } from './asked-kernel.ts';

/**
 * RUNTIME_UNAVAILABLE where a choice by speed settled the job on a kernel, elsewhere or before, that would be passed over
 * here (tfjs without libtensorflow trains a hundred times slower). A kernel that was asked for by name is taken as it is.
 */
export async function refuseLostKernel({
  requested,
  spec,
  kernels,
}: Pick<StageContext, 'requested' | 'spec' | 'kernels'>): Promise<void> {
  const { kernel, device, threads } = spec.train;
  const why =
    askedKernel(requested) === 'auto' ? await kernels[kernel]?.declines({ device, threads }) : undefined;
  if (why === undefined) return;
  throw new RetortError(
    'RUNTIME_UNAVAILABLE',
    `the job was settled on the kernel "${kernel}", which is not fit for it here: ${why}`,
    {
      hint: `Let it go on where that kernel is installed, or submit it again with "train": {"kernel": "onnxruntime"}.`,
      facts: { kernel },
    },
  );
}
