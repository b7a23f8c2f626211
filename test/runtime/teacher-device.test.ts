import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localFacilities } from '../../src/adapters/local-tools.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { webgpuDevice } from '../../src/adapters/runtime/webgpu-device.ts';
import type { RetortError } from '../../src/errors.ts';
import type { Runtime, SessionOptions } from '../../src/pipeline/ports.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

const onWebgpu = parseSpec(tinySpec({ train: { epochs: 1, device: 'cpu', teacherDevice: 'webgpu' } }));

test('WebGPU computes what the CPU computes, or is refused with the reason and what to do', async (t) => {
  const { available, why } = await webgpuDevice();
  const open = (device: SessionOptions['device']) => onnxruntime.open(tinyTeacher(), { device, threads: 1 });
  if (!available) {
    t.diagnostic(`no WebGPU here: ${why}`);
    assert.match(why ?? '', /onnxruntime finds no WebGPU adapter/);
    const hint = /driver.*libvulkan1|libvulkan1/;
    await assert.rejects(open('webgpu'), { code: 'RUNTIME_UNAVAILABLE', hint });
    const facilities = await localFacilities(onWebgpu);
    assert.throws(
      () => resolveSpec(onWebgpu, facilities),
      (error: RetortError) =>
        error.code === 'RUNTIME_UNAVAILABLE' &&
        error.message.includes(`the teacherDevice "webgpu" cannot be used here: ${why}`) &&
        hint.test(error.hint ?? ''),
    );
    return;
  }
  const data = Float32Array.from({ length: 3 * 64 }, (_, i) => (i * 37) % 256);
  const feeds = { picture: { dtype: 'float32', dims: [3, 1, 8, 8], data } } as const;
  const [expected, found] = await Promise.all(
    (['cpu', 'webgpu'] as const).map(async (device) => {
      const session = await open(device);
      const [output] = Object.values(await session.run(feeds));
      await session.close();
      return output!.data as Float32Array;
    }),
  );
  assert.equal(found!.length, expected!.length);
  expected!.forEach((value, i) => {
    assert.ok(Math.abs(found![i]! - value) <= 1e-3 * Math.max(1, Math.abs(value)), `logit ${i}`);
  });
});

test('WebGPU is started only for a spec that asks for it', async () => {
  assert.equal((await localFacilities(parseSpec(tinySpec()))).devices.webgpu, undefined);
  assert.ok((await localFacilities(onWebgpu)).devices.webgpu);
});

/** Opens everything on the CPU and counts what was asked for: which device a session is for needs no GPU to see. */
function counting() {
  const asked: Partial<Record<SessionOptions['device'], number>> = {};
  const runtime: Runtime = {
    version: onnxruntime.version,
    devices: () => onnxruntime.devices(),
    open(model, options) {
      asked[options.device] = (asked[options.device] ?? 0) + 1;
      return onnxruntime.open(model, { ...options, device: 'cpu' });
    },
  };
  return { asked, runtime };
}

test('the teacher alone goes to its device; report, card and resolved spec say so; its logits are its own', async () => {
  const here = { available: true };
  const resolved = resolveSpec(onWebgpu, {
    kernels: { onnxruntime: here, tfjs: here },
    devices: { cpu: here, webgpu: here },
  });
  const { asked, runtime } = counting();
  const tools = { ...memoryTools(), runtime };
  const request = { ...tinyRequest(), requested: onWebgpu, spec: resolved };
  const { publish } = await runJourney(request, tools);
  const text = async (wanted: string): Promise<string> => {
    const { hash } = publish.artifacts.find(({ name }) => name === wanted)!;
    return new TextDecoder().decode(await tools.blobs.get(hash));
  };
  const { ran } = JSON.parse(await text('report.json')) as Report;
  assert.deepEqual([ran.device, ran.teacherDevice], ['cpu', 'webgpu']);
  assert.match(await text('model-card.md'), /The teacher was asked on webgpu/);
  assert.equal(JSON.parse(await text('spec.json')).resolved.train.teacherDevice, 'webgpu');
  // To be judged and paced, to teach, to be evaluated.
  assert.equal(asked.webgpu, 4);

  // Over the same stores on the CPU: nothing that webgpu gave is taken for it.
  const onCpu = { ...resolved, train: { ...resolved.train, teacherDevice: 'cpu' } } as const;
  const skipped = async (spec: typeof resolved) => {
    const { timings } = await runJourney({ ...request, spec }, tools);
    return timings.filter((each) => each.skipped).map(({ stage }) => stage);
  };
  const again = await skipped(resolved);
  const other = await skipped(onCpu);
  for (const stage of ['qualify', 'teach', 'evaluate'] as const) {
    assert.ok(again.includes(stage), stage);
    assert.ok(!other.includes(stage), stage);
  }
});
