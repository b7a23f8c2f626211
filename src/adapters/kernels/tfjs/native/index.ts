import { batchNorm } from './batch-norm.ts';
import { clip } from './clip.ts';
import { convolution } from './convolution.ts';
import { expandDims } from './expand-dims.ts';
import { gather } from './gather.ts';
import { maxPool } from './max-pool.ts';
import { relu } from './relu.ts';

/** Makes tfjs know what libtensorflow can and tfjs has no name or no gradient for. */
export function registerNativeKernels(): void {
  for (const kernel of [batchNorm, clip, convolution, expandDims, gather, maxPool, relu]) kernel.register();
}
