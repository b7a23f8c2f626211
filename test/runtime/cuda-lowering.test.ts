import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntimeKernel } from '../../src/adapters/kernels/onnxruntime.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { students } from '../../src/core/students/index.ts';
import type { Runtime } from '../../src/pipeline/ports.ts';
import { classBatches, train } from '../support/training.ts';

const program = buildProgram({
  student: students.resnet.build(
    { input: 'x', inputShape: [3, 8, 8], output: 'logits', classes: 4 },
    { depth: 8, width: 4 },
    1,
  ),
  terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
  batchSize: 8,
  optimizer: { name: 'sgd', options: { learningRate: 0.02 } },
});

test('the graph for CUDA, run on the CPU, trains like the graph for the CPU', async () => {
  const onCpu: Runtime = {
    version: onnxruntime.version,
    devices: () => onnxruntime.devices(),
    open: (model, options) => onnxruntime.open(model, { ...options, device: 'cpu' }),
  };
  const kernel = onnxruntimeKernel(onCpu);
  const batch = classBatches(program, 4);
  const cpu = await train(kernel, program, batch, [20], { device: 'cpu' });
  const cuda = await train(kernel, program, batch, [20], { device: 'cuda' });
  cpu.loss.forEach((loss, step) => {
    const error = Math.abs(loss - cuda.loss[step]!);
    assert.ok(error <= 1e-3, `losses differ by ${error} at step ${step}`);
  });
});

test('a CUDA device that is not there is refused with the reason', async (t) => {
  if (onnxruntime.devices().some(({ device, available }) => device === 'cuda' && available)) {
    t.skip('this machine has CUDA');
    return;
  }
  const opening = onnxruntimeKernel(onnxruntime).open(program, { device: 'cuda', threads: 1, seed: 0 });
  await assert.rejects(opening, (error: Error) => {
    return 'code' in error && error.code === 'RUNTIME_UNAVAILABLE' && error.message.includes('cuda');
  });
});
