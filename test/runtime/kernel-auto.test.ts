import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntimeKernel } from '../../src/adapters/kernels/onnxruntime.ts';
import { loadBackend } from '../../src/adapters/kernels/tfjs/backend.ts';
import { tfjsKernel } from '../../src/adapters/kernels/tfjs/kernel.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import type { ResolvedSpec } from '../../src/spec/resolved-spec.ts';
import { delayedKernel } from '../support/delayed-kernel.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

const short = tinySpec({ train: { steps: 40, batchSize: 16 }, controls: false });

async function read<T>(name: string, { publish }: Results, { blobs }: Tools): Promise<T> {
  const bytes = await blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

test('auto takes the faster kernel; report and resolved spec say which and why', async () => {
  const kernels = {
    onnxruntime: delayedKernel('onnxruntime', 60).kernel,
    tfjs: delayedKernel('tfjs', 0).kernel,
  };
  const tools = { ...memoryTools(), kernels };
  const kept: ResolvedSpec[] = [];
  const settled = async (spec: ResolvedSpec) => void kept.push(spec);
  const results = await runJourney({ ...tinyRequest(short), settled }, tools);
  const { ran } = await read<Report>('report.json', results, tools);
  assert.equal(ran.kernel, 'tfjs');
  assert.equal(ran.engine, 'tfjs');
  assert.match(ran.kernelReason, /^tfjs [\d.]+ ms per step; onnxruntime [\d.]+ ms per step$/);
  const { resolved } = await read<{ resolved: ResolvedSpec }>('spec.json', results, tools);
  assert.equal(resolved.train.kernel, 'tfjs');
  assert.equal(resolved.train.kernelReason, ran.kernelReason);
  assert.deepEqual(kept.at(-1), resolved);
});

test('the choice is kept: a job that comes again takes it, even where the other kernel is faster by now', async () => {
  const tools = memoryTools();
  const first = {
    onnxruntime: delayedKernel('onnxruntime', 60).kernel,
    tfjs: delayedKernel('tfjs', 0).kernel,
  };
  await runJourney(tinyRequest(short), { ...tools, kernels: first });
  const [slow, quick] = [delayedKernel('tfjs', 60), delayedKernel('onnxruntime', 0)];
  const longer = tinySpec({ train: { steps: 44, batchSize: 16 }, controls: false });
  const later = { ...tools, kernels: { onnxruntime: quick.kernel, tfjs: slow.kernel } };
  const results = await runJourney(tinyRequest(longer), later);
  assert.equal(results.calibrate.kernel, 'tfjs');
  assert.equal(results.train.engine, 'tfjs');
  assert.deepEqual([quick.counts.opened, slow.counts.opened], [0, 1]);
});

test('a kernel that cannot train the student is passed over, and the reason names it', async () => {
  const unable: TrainingKernel = {
    ...delayedKernel('tfjs', 0).kernel,
    open: async () => {
      throw new RetortError('TRAIN_UNSUPPORTED', 'the tfjs kernel has no operator Frobnicate');
    },
  };
  const able = onnxruntimeKernel(onnxruntime);
  const tools = { ...memoryTools(), kernels: { tfjs: unable, onnxruntime: able } };
  const { calibrate } = await runJourney({ ...tinyRequest(short), until: 'calibrate' }, tools);
  assert.equal(calibrate.kernel, 'onnxruntime');
  assert.match(calibrate.reason, /ms per step; tfjs: the tfjs kernel has no operator Frobnicate$/);
  await assert.rejects(
    runJourney(
      { ...tinyRequest(short), until: 'calibrate' },
      { ...memoryTools(), kernels: { tfjs: unable, other: unable } },
    ),
    (error: RetortError) => error.code === 'TRAIN_UNSUPPORTED',
  );
});

test('a job settled on tfjs is refused where tfjs would run in plain JavaScript, and goes on where it would not', async () => {
  const tools = memoryTools();
  const able = {
    onnxruntime: delayedKernel('onnxruntime', 60).kernel,
    tfjs: delayedKernel('tfjs', 0).kernel,
  };
  let { spec } = tinyRequest(short);
  const settled = async (kept: ResolvedSpec) => {
    spec = kept;
  };
  await runJourney({ ...tinyRequest(short), until: 'calibrate', settled }, { ...tools, kernels: able });
  assert.equal(spec.train.kernel, 'tfjs');

  const slow = delayedKernel('tfjs', 0);
  const declines = async () => 'plain JavaScript, slow: @tensorflow/tfjs-node is not installed';
  const without = { onnxruntime: able.onnxruntime, tfjs: { ...slow.kernel, declines } };
  const again = { ...tinyRequest(short), spec };
  await assert.rejects(runJourney(again, { ...tools, kernels: without }), (error: RetortError) => {
    assert.equal(error.code, 'RUNTIME_UNAVAILABLE');
    assert.match(error.message, /settled on the kernel "tfjs".*tfjs-node is not installed/);
    return true;
  });
  assert.equal(slow.counts.opened, 0);
  const { requested } = tinyRequest({ ...short, train: { ...short.train, kernel: 'tfjs' } } as typeof short);
  const asked = { ...again, requested };
  const other = memoryTools();
  assert.equal((await runJourney(asked, { ...other, kernels: without })).train.engine, 'tfjs');
  assert.equal((await runJourney(again, { ...tools, kernels: able })).train.engine, 'tfjs');
});

test('a stop while kernels are measured is a cancellation', async () => {
  const stop = new AbortController();
  const first = delayedKernel('onnxruntime', 20).kernel;
  const stopping: TrainingKernel = {
    ...first,
    open: (program, options) => {
      stop.abort();
      return first.open(program, options);
    },
  };
  const tools = {
    ...memoryTools(),
    kernels: { onnxruntime: stopping, tfjs: delayedKernel('tfjs', 0).kernel },
  };
  await assert.rejects(
    runJourney({ ...tinyRequest(short), signal: stop.signal }, tools),
    (error: RetortError) => error.code === 'CANCELLED',
  );
});

test('tfjs in plain JavaScript is never measured', async (t) => {
  if ((await loadBackend()).name === 'tensorflow') return t.skip('tfjs-node is installed here');
  let opened = 0;
  const tfjs: TrainingKernel = {
    ...tfjsKernel,
    open: (program, options) => {
      opened++;
      return tfjsKernel.open(program, options);
    },
  };
  const tools = { ...memoryTools(), kernels: { onnxruntime: onnxruntimeKernel(onnxruntime), tfjs } };
  const { calibrate } = await runJourney({ ...tinyRequest(short), until: 'calibrate' }, tools);
  assert.equal(calibrate.kernel, 'onnxruntime');
  assert.match(calibrate.reason, /^tfjs: plain JavaScript, slow: /);
  assert.equal(opened, 0);
});
