import { onnxruntimeKernel } from '../../src/adapters/kernels/onnxruntime.ts';
import { tfjsKernel } from '../../src/adapters/kernels/tfjs/kernel.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';

/** Every training kernel that can run here, for suites that loop over them. */
export const kernels: readonly TrainingKernel[] = [onnxruntimeKernel(onnxruntime), tfjsKernel];
