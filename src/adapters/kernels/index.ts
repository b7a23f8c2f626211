import type { TrainingKernel } from '../../core/program/kernel.ts';
import type { Runtime } from '../../pipeline/ports.ts';
import { onnxruntimeKernel } from './onnxruntime.ts';
import { tfjsKernel } from './tfjs/kernel.ts';

/** Training kernels by name; the first one runs its graphs in the given runtime. */
export const kernelsOn = (runtime: Runtime): Readonly<Record<'onnxruntime' | 'tfjs', TrainingKernel>> => ({
  onnxruntime: onnxruntimeKernel(runtime),
  tfjs: tfjsKernel,
});
