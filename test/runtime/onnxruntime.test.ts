import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import type { RetortError } from '../../src/errors.ts';
import { addModel } from '../support/add-model.ts';
import { fixture } from '../support/fixtures.ts';
import { runModel } from '../support/run-model.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

test('runs a built model: typed results, metadata, views as feeds', async () => {
  const all = new Float32Array([9, 9, 1, 2, 3, 4]);
  const feeds = { x: { dtype: 'float32', dims: [2, 2], data: all.subarray(2) } } as const;
  const { y } = await runModel(addModel(), feeds);
  assert.deepEqual(y, { dtype: 'float32', dims: [2, 2], data: new Float32Array([2, 4, 4, 6]) });

  const session = await onnxruntime.open(encodeModel(addModel()), cpu);
  assert.deepEqual(session.inputs, [{ name: 'x', dtype: 'float32', shape: ['n', 2] }]);
  assert.equal(session.outputs[0]?.name, 'y');
  await session.close();
});

test('accepts engine settings and refuses what it cannot do', async () => {
  const config = { 'session.set_denormal_as_zero': '1' };
  const x = { dtype: 'float32', dims: [1, 2], data: new Float32Array(2) } as const;
  const { y } = await runModel(addModel(), { x }, { config, optimization: 'basic' });
  assert.deepEqual(y?.data, new Float32Array([1, 2]));

  const session = await onnxruntime.open(encodeModel(addModel()), cpu);
  const bad = { x: { ...x, dtype: 'float64', data: new Float64Array(2) } } as const;
  await assert.rejects(session.run(bad), {
    code: 'RUNTIME_FAILED',
    message: /"x" takes float32, not float64/,
  });
  await assert.rejects(session.run({}), { code: 'RUNTIME_FAILED', message: /'x' is missing/ });
  await assert.rejects(session.run({ x }, ['z']), { code: 'RUNTIME_FAILED', message: /no output "z"/ });
  await session.close();
});

test('keeps to the cores that the process may use', (t) => {
  if (process.platform !== 'linux' || availableParallelism() < 2) return t.skip('needs Linux and two cores');
  const core = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
  const child = fileURLToPath(new URL('../support/threads-child.ts', import.meta.url));
  const args = ['--cpu-list', core, process.execPath, '--import', 'tsx', child];
  const { error, stdout, stderr } = spawnSync('taskset', args, { encoding: 'utf8' });
  if (error) return t.skip(`taskset: ${error.message}`);
  assert.deepEqual(JSON.parse(stdout || '[]'), [core], stderr);
});

test('says honestly which devices there are', async () => {
  const devices = onnxruntime.devices();
  assert.equal(devices.find(({ device }) => device === 'cpu')?.available, true);
  const cuda = devices.find(({ device }) => device === 'cuda');
  assert.ok(cuda);
  if (cuda.available) return;
  assert.match(cuda.why ?? '', /CUDA|setup:cuda|driver|libraries/);
  await assert.rejects(onnxruntime.open(encodeModel(addModel()), { device: 'cuda', threads: 1 }), {
    code: 'RUNTIME_UNAVAILABLE',
    message: new RegExp(cuda.why?.slice(0, 20).replaceAll('.', '\\.') ?? 'never'),
  });
});

test('bytes that are no model are ONNX_MALFORMED', async () => {
  await assert.rejects(onnxruntime.open(new Uint8Array([1, 2, 3]), cpu), { code: 'ONNX_MALFORMED' });
});

const refusals = {
  'ort-bert-tf2onnx-0': ['ONNX_UNSUPPORTED', /operator Slice \(node "lstm\/strided_slice_32"\) mixes types/],
  'pcb-aoi-winml': ['ONNX_UNSUPPORTED', /operator com\.microsoft\.LegacyPadding is not known/],
  'squeezenet-dao-fp16': ['ONNX_UNSUPPORTED', /operator Debug does not exist in opset 7/],
  'superres-pytorch': [
    'ONNX_UNSUPPORTED',
    /operator ai\.onnx\.contrib\.SuperResolutionPreProcess is not known/,
  ],
} as const;

for (const [name, [code, message]] of Object.entries(refusals)) {
  test(`refuses ${name} naming the operator`, async (t) => {
    const file = fixture(`fixtures/onnx-negative/${name}/model.onnx`);
    if (!file) return t.skip('no shared fixtures');
    await assert.rejects(onnxruntime.open(readFileSync(file), cpu), (error: RetortError) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('loads ort-tfbert-qa, which is valid', async (t) => {
  const file = fixture('fixtures/onnx-negative/ort-tfbert-qa/model.onnx');
  if (!file) return t.skip('no shared fixtures');
  const session = await onnxruntime.open(readFileSync(file), cpu);
  assert.deepEqual(
    session.inputs.map((input) => input.name),
    ['attention_mask', 'input_ids', 'token_type_ids'],
  );
  await session.close();
});
