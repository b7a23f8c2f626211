import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feedSteps, type StartedProgram } from '../../bench/train/feed-steps.ts';
import { decodeStart, encodeStart } from '../../bench/train/start.ts';
import { programOf, workloads } from '../../bench/train/workloads.ts';
import { loadBackend } from '../../src/adapters/kernels/tfjs/backend.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import { kernels } from '../support/kernels.ts';
import { relativeError } from '../support/training.ts';

// The six networks of `npm run bench -- train`, on few rows: both kernels have the same gradients and the same losses.

const STEPS = 3;
/** In plain JavaScript a step of the others takes minutes. */
const QUICK = ['mlp', 'cnn'];
/**
 * Rounding turns a few of their many ReLUs: inputs moved by 1e-7 of their value move the gradient of onnxruntime alone by
 * 1.4e-3 (mobilenet, 4 rows) and 3e-3 (resnet20, 16 rows), of the cnn by 2e-7.
 */
const KINKED = ['resnet20', 'mobilenet'];
const [first, ...others] = kernels as [TrainingKernel, ...TrainingKernel[]];
const { name: backend } = await loadBackend();

async function seenBy(kernel: TrainingKernel, started: StartedProgram) {
  const trainer = await kernel.open(started.program, { device: 'cpu', threads: 1, seed: 0 });
  try {
    const { gradients } = await trainer.gradients(feedSteps(started, 1));
    const { loss } = await trainer.run(feedSteps(started, STEPS));
    assert.doesNotMatch(trainer.engine, /op by op/);
    return { gradients, loss };
  } finally {
    await trainer.close();
  }
}

for (const [name, workload] of Object.entries(workloads)) {
  for (const kernel of others) {
    const isSlow = kernel.name === 'tfjs' && backend === 'cpu' && !QUICK.includes(name);
    const skip = isSlow && 'takes minutes in plain JavaScript: npm run setup:tfjs';
    test(`${name}: ${kernel.name} has the gradients and the losses of ${first.name}`, { skip }, async () => {
      const small = { ...workload, batch: 4 };
      const started = decodeStart(encodeStart(programOf(small), small), programOf(small));
      const [wanted, seen] = [await seenBy(first, started), await seenBy(kernel, started)];
      const all = (gradients: ReadonlyMap<string, Float32Array>) =>
        [...wanted.gradients.keys()].flatMap((parameter) => Array.from(gradients.get(parameter)!));
      // Of all parameters together: some alone are sums that cancel to nothing.
      const error = relativeError(all(seen.gradients), all(wanted.gradients));
      assert.ok(error <= (KINKED.includes(name) ? 1e-2 : 1e-4), `gradients differ by ${error}`);
      assert.ok(wanted.gradients.size > 3 && all(wanted.gradients).some((value) => Math.abs(value) > 1e-3));
      seen.loss.forEach((loss, step) => {
        const apart = Math.abs(loss / wanted.loss[step]! - 1);
        assert.ok(apart <= [1e-5, 1e-3, 1e-2][step]!, `losses differ by ${apart} at step ${step}`);
      });
    });
  }
}
