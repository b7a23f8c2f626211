import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { sizeOf } from '../../src/core/onnx/tensor.ts';
import type { RetortError } from '../../src/errors.ts';
import { convertArray } from '../../src/pipeline/convert-array.ts';
import { buildStudent } from '../../src/pipeline/student/build-student.ts';
import { shipStudent } from '../../src/pipeline/student/ship-student.ts';
import { pictureShape } from '../../src/pipeline/teacher/input-wish.ts';
import { openModel } from '../../src/pipeline/teacher/open-model.ts';
import { planTeacher } from '../../src/pipeline/teacher/plan-teacher.ts';
import { probeTeacher } from '../../src/pipeline/teacher/probe-teacher.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import { fixture } from '../support/fixtures.ts';
import { tinyTeacher } from '../support/tiny-job.ts';

const facilities = {
  kernels: { onnxruntime: { available: true } },
  devices: { cpu: { available: true } },
};
const options = { device: 'cpu', threads: 1 } as const;

async function shipped(bytes: Uint8Array) {
  const spec = resolveSpec({ version: 1 }, facilities);
  const teacher = await openModel(bytes, new Map(), onnxruntime);
  const { plan: planned, tapped } = planTeacher(teacher, spec);
  const encoded = encodeModel(tapped);
  const { batch, kind } = await probeTeacher(await onnxruntime.open(encoded, options), planned);
  const scores = { ...planned.scores, kind };
  const plan = { ...planned, batch, scores, model: { hash: '', bytes: 0 } };
  const dims = plan.input.shape as readonly number[];
  const student = buildStudent({
    choice: { kind: 'architecture', name: 'mlp', options: { hidden: [4], dropout: 0 } },
    input: { dims, layout: pictureShape(dims)?.layout ?? 'NCHW', dtype: 'float32' },
    range: null,
    feeding: plan,
    classes: plan.scores.classes,
    statistics: { mean: 100, deviation: 60 },
    seed: 0,
    models: new Map(),
  });
  return { plan, teacher, student, ...shipStudent(student, teacher, plan) };
}

/** Runs a teacher and the student made for it on the same rows; the results must have the same names, types and ranks. */
async function comparesInterfaces(bytes: Uint8Array, rows: number): Promise<void> {
  const { plan, model } = await shipped(bytes);
  const teacherSession = await onnxruntime.open(bytes, options);
  const studentSession = await onnxruntime.open(encodeModel(model), options);
  const feeds = (batch: number): Record<string, NDArray> =>
    Object.fromEntries(
      teacherSession.inputs.map(({ name, dtype, shape }) => {
        const dims = shape!.map((dim, i) => (i === 0 ? batch : Number(dim)));
        const data = new Float32Array(sizeOf(dims)).fill(0.5);
        return [name, convertArray({ dtype: 'float32', dims, data }, dtype!)];
      }),
    );
  const interfaceOf = (results: Record<string, NDArray>) =>
    Object.entries(results).map(([name, { dtype, dims }]) => [name, dtype, dims.slice(1)]);
  try {
    assert.deepEqual(
      studentSession.inputs.map(({ name, dtype }) => [name, dtype]),
      teacherSession.inputs.map(({ name, dtype }) => [name, dtype]),
    );
    const one = plan.batch ?? 1;
    const results = await studentSession.run(feeds(one));
    assert.deepEqual(interfaceOf(results), interfaceOf(await teacherSession.run(feeds(one))));
    // The student takes any number of rows, whatever its teacher does.
    const many = await studentSession.run(feeds(rows));
    for (const { dims } of Object.values(many)) assert.equal(dims[0], rows);
  } finally {
    await teacherSession.close();
    await studentSession.close();
  }
}

for (const tail of ['logits', 'softmax', 'argmax'] as const) {
  for (const layout of ['NCHW', 'NHWC'] as const) {
    for (const batch of ['N', 1] as const) {
      test(`a student takes the place of a teacher: ${tail}, ${layout}, batch ${batch}`, async () => {
        const bytes = tinyTeacher({ tail, layout, batch });
        assert.equal((await shipped(bytes)).plan.batch, null);
        await comparesInterfaces(bytes, 5);
      });
    }
  }
}

const real = [
  'cifar10-cnn-winml',
  'cifar10-resnet56-derived',
  'hand-keypoint-classifier',
  'iris-mlp-winml',
  'mnist-cnn-ort',
  'squeezenet-fp16-imagenet',
  'shufflenet-v2-int8-imagenet',
  'speech-recog-winml',
  'magika-standard-v1',
];
for (const name of real) {
  test(`a student takes the place of the real teacher ${name}`, async (t) => {
    const path = fixture(`fixtures/teachers/${name}/model.onnx`);
    if (!path) return t.skip('no shared fixtures');
    await comparesInterfaces(new Uint8Array(await readFile(path)), 3);
  });
}

/** Models that must be refused, and what the refusal must name. */
const refused: Readonly<Record<string, readonly [code: RegExp, words: RegExp]>> = {
  'fixtures/onnx-negative/squeezenet-dao-fp16': [/ONNX_UNSUPPORTED/, /operator Debug/],
  'fixtures/onnx-negative/pcb-aoi-winml': [/ONNX_/, /LegacyPadding/],
  'fixtures/onnx-negative/superres-pytorch': [/ONNX_UNSUPPORTED/, /contrib/],
  'fixtures/onnx-negative/ort-bert-tf2onnx-0': [/ONNX_/, /operator \w+/],
  'fixtures/teachers/mnist-winml-model-2p4M': [/ONNX_UNSUPPORTED/, /"prediction"/],
  'fixtures/teachers/yunet-n-320': [/TEACHER_NO_SCORES|ONNX_UNSUPPORTED/, /cls_|output/],
  'fixtures/teachers/yolox-nano-coco': [/TEACHER_NO_SCORES/, /3549/],
};
for (const [name, [code, words]] of Object.entries(refused)) {
  test(`${name} is refused by name`, async (t) => {
    const path = fixture(`${name}/model.onnx`);
    if (!path) return t.skip('no shared fixtures');
    const bytes = new Uint8Array(await readFile(path));
    await assert.rejects(
      async () => {
        const model = await openModel(bytes, new Map(), onnxruntime);
        planTeacher(model, resolveSpec({ version: 1 }, facilities));
      },
      (error: RetortError) => {
        t.diagnostic(`${error.code}: ${error.message}`);
        assert.match(error.code, code);
        assert.match([error.message, ...error.problems].join('\n'), words);
        return true;
      },
    );
  });
}

test('a valid graph without class scores for the data loads', async (t) => {
  const path = fixture('fixtures/onnx-negative/ort-tfbert-qa/model.onnx');
  if (!path) return t.skip('no shared fixtures');
  const bytes = new Uint8Array(await readFile(path));
  assert.ok((await openModel(bytes, new Map(), onnxruntime)).graph.nodes.length > 0);
});
