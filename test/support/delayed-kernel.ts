import { setTimeout as sleep } from 'node:timers/promises';
import { onnxruntimeKernel } from '../../src/adapters/kernels/onnxruntime.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';

/** A real kernel of which every run takes some milliseconds longer; counts how often it is opened. */
export function delayedKernel(name: string, milliseconds: number) {
  const real = onnxruntimeKernel(onnxruntime);
  const counts = { opened: 0 };
  const kernel: TrainingKernel = {
    name,
    declines: async () => undefined,
    async open(program, options) {
      counts.opened++;
      const trainer = await real.open(program, options);
      return {
        engine: name,
        preferredSteps: 4,
        run: async (chunk) => {
          await sleep(milliseconds);
          return trainer.run(chunk);
        },
        gradients: (chunk) => trainer.gradients(chunk),
        snapshot: () => trainer.snapshot(),
        close: () => trainer.close(),
      };
    },
  };
  return { kernel, counts };
}
