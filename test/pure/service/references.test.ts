import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import type { RetortError } from '../../../src/errors.ts';
import { inputsBehind } from '../../../src/service/jobs/references.ts';

const file = (name: string, hash = name) => ({ name, hash, bytes: 1 });

/** Two teachers with external data, a dataset and an upload. */
async function stored() {
  const jobs = new MemoryJobs();
  const put = (id: string, value: object) =>
    jobs.put({ id, revision: 0, state: 'ready', value: { owner: 'me', ...value } });
  await put('model/m_1', { model: file('one.onnx'), companions: [file('one.bin')] });
  await put('model/m_2', { model: file('two.onnx'), companions: [file('two.bin')] });
  await put('model/m_3', { model: file('three.onnx'), companions: [file('one.bin', 'other bytes')] });
  await put('dataset/ds_1', { data: [file('pictures.zip')] });
  await put('upload/u_1', { file: file('sent.onnx') });
  return jobs;
}

test('a further teacher may be a model that was uploaded before, and brings its external data along', async () => {
  const companions = { 'second.onnx': 'm_2', 'third.onnx': 'u_1' };
  const found = await inputsBehind(await stored(), 'me', { teacher: 'm_1', dataset: 'ds_1', companions });
  assert.deepEqual(found, {
    teacher: file('one.onnx'),
    companions: [
      file('second.onnx', 'two.onnx'),
      file('third.onnx', 'sent.onnx'),
      file('one.bin'),
      file('two.bin'),
    ],
    data: [file('pictures.zip')],
  });
});

test('what stands in the place of a model, a dataset or a companion and is none is refused with a hint', async () => {
  const jobs = await stored();
  const refused = (references: object, words: RegExp) =>
    assert.rejects(
      inputsBehind(jobs, 'me', { teacher: 'm_1', dataset: 'ds_1', ...references }),
      (error: RetortError) =>
        error.code === 'UPLOAD_INVALID' && words.test(error.message) && error.hint !== undefined,
      `${words}`,
    );
  await refused({ teacher: 'ds_1' }, /^teacher: "ds_1" is a dataset/);
  await refused({ dataset: 'm_2' }, /^dataset: "m_2" is a model/);
  await refused({ companions: { 'b.onnx': 'ds_1' } }, /^companion "b\.onnx": "ds_1" is a dataset/);
  await refused({ companions: { 'b.onnx': 'm_3' } }, /two models bring different files "one\.bin"/);
});
