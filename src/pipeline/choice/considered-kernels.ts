import { RetortError } from '../../errors.ts';
import type { KernelName, ResolvedTrain } from '../../spec/resolved-spec.ts';
import type { Tools } from '../stage.ts';

export interface ConsideredKernels {
  readonly worth: readonly KernelName[];
  /** Why the others are not considered. */
  readonly declined: Readonly<Record<string, string>>;
}

/** The kernels a run may get: the one it names, or those that are worth a try where the spec leaves it open. */
export async function consideredKernels(
  { kernel, device, threads }: Pick<ResolvedTrain, 'kernel' | 'device' | 'threads'>,
  kernels: Tools['kernels'],
): Promise<ConsideredKernels> {
  if (kernel !== 'auto') return { worth: [kernel], declined: {} };
  const worth: KernelName[] = [];
  const declined: Record<string, string> = {};
  for (const name of Object.keys(kernels) as KernelName[]) {
    const why = await kernels[name]!.declines({ device, threads });
    if (why === undefined) worth.push(name);
    else declined[name] = why;
  }
  if (worth.length > 0) return { worth, declined };
  throw new RetortError('RUNTIME_UNAVAILABLE', 'no kernel can train here', { facts: declined });
}
