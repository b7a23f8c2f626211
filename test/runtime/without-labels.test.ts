import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeNpy } from '../../src/data/encode-npy.ts';
import type { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memorySource } from '../support/data-files.ts';
import { memoryTools, tinyPictures, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** Jobs on data of which no row has a label at all. */

/** The tiny pictures as one array, so without their labels. */
async function pictures() {
  const source = tinyPictures()[0]!;
  const pixels = (await source.read(0, source.size)).subarray(16);
  return memorySource('pictures.npy', encodeNpy([pixels.length / 64, 1, 8, 8], pixels));
}

async function run(changes: object) {
  const tools = memoryTools();
  const train = {
    kernel: 'onnxruntime',
    epochs: 6,
    batchSize: 16,
    optimizer: { name: 'adam', learningRate: 0.03 },
  };
  const request = tinyRequest(tinySpec({ train, ...changes }));
  const data = [await pictures()];
  const { publish, ...done } = await runJourney({ ...request, upload: { ...request.upload, data } }, tools);
  const { hash } = publish.artifacts.find(({ name }) => name === 'report.json')!;
  const report: Report = JSON.parse(new TextDecoder().decode(await tools.blobs.get(hash)));
  return { done, report };
}

test('without any label the student learns from the teacher, and is chosen and judged by their agreement', async () => {
  const { done, report } = await run({ strategy: { name: 'label-free' } });
  assert.equal(done.qualify.labelled, 0);
  assert.equal(done.control, null);
  const { accuracy, agreement } = report.models.student!.metrics;
  assert.equal(accuracy, null);
  assert.ok(Number(agreement) > 0.7, `${agreement}`);
  assert.ok(report.rows > 20 && report.training.student!.validation.agreement !== null);
  assert.deepEqual(report.warnings, ['no row has a label, so the quality of the teacher is unknown']);
});

test('weights that are learned on labels are refused before any teacher gives soft targets, in a dry run too', async () => {
  const strategy = { name: 'ensemble', teachers: [{ file: 'second.onnx' }], weights: 'learned' };
  const companions = { 'second.onnx': tinyTeacher({ gain: 0.003 }) };
  const request = tinyRequest(tinySpec({ strategy }), tinyTeacher(), companions);
  const upload = { ...request.upload, data: [await pictures()] };
  const reached: string[] = [];
  const observer = { stage: (name: string) => void reached.push(name) };
  const refused = (error: RetortError) =>
    error.code === 'DATA_EMPTY' &&
    /^weights are learned on labelled validation rows/.test(error.message) &&
    /"confidence"/.test(error.hint!);
  await assert.rejects(runJourney({ ...request, upload, observer }, memoryTools()), refused);
  assert.ok(reached.includes('qualify') && !reached.includes('teach'), `${reached}`);
  await assert.rejects(
    validateJob({ ...request, upload }, memoryTools(), () => 1),
    refused,
  );
});

test('terms on labels that teach nothing are told; what nothing but labels teaches is refused', async () => {
  const { report } = await run({ objective: { alpha: 0.9 } });
  const idle = 'no training row has a label, so "cross-entropy" teaches nothing';
  const told = (warnings: readonly string[]) => warnings.filter((each) => /teaches? nothing/.test(each));
  assert.deepEqual(told(report.warnings), [idle]);
  const request = tinyRequest(tinySpec({ strategy: { name: 'mutual', rounds: 1 } }));
  const asked = { ...request, upload: { ...request.upload, data: [await pictures()] } };
  assert.deepEqual(told((await validateJob(asked, memoryTools(), () => 1)).warnings), [idle]);
  const refused = (changes: object, words: RegExp) =>
    assert.rejects(
      run(changes),
      (error: RetortError) =>
        error.code === 'DATA_EMPTY' && words.test(error.message) && error.hint !== undefined,
    );
  await refused({ strategy: { name: 'two-stage' } }, /the phase "labels" would learn from labels alone/);
  const fading = { strategy: { name: 'continuation' } };
  await refused(fading, /the student would in the end learn from labels alone/);
  await refused({ strategy: { name: 'annealing' } }, /the phase "labels" would learn from labels alone/);
  await refused(
    { objective: { terms: [{ loss: 'cross-entropy' }] } },
    /the student would learn from labels alone/,
  );
});
