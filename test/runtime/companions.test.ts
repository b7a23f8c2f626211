import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import type { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { inspectModel } from '../../src/pipeline/teacher/inspect-model.ts';
import { teacherWarnings } from '../../src/pipeline/teacher/teacher-warnings.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** Files that come with a job: each is read, or its sender hears of it. */

type Files = Readonly<Record<string, Uint8Array>>;
const model = tinyTeacher();
const note = new TextEncoder().encode('{}');

/** The model with its weights in a file of that name, and that file. */
function outside(location: string): { readonly bytes: Uint8Array; readonly weights: Uint8Array } {
  const { graph, ...rest } = decodeModel(model);
  const own = graph.initializers.get('weights')!;
  const external = { location, offset: 0, length: own.bytes.length };
  const initializers = new Map(graph.initializers).set('weights', {
    ...own,
    bytes: new Uint8Array(),
    external,
  });
  return { bytes: encodeModel({ ...rest, graph: { ...graph, initializers } }), weights: own.bytes };
}

const inspected = async (changes: object, companions: Files, teacher = model): Promise<readonly string[]> => {
  const request = { ...tinyRequest(tinySpec(changes), teacher, companions), until: 'qualify' as const };
  return teacherWarnings(await runJourney(request, memoryTools()), request.spec);
};
const refused = (changes: object, companions: Files, words: RegExp, hint = /./, teacher = model) =>
  assert.rejects(inspected(changes, companions, teacher), (error: RetortError) => {
    assert.match(`${error.code}: ${error.message}`, words);
    assert.match(error.hint ?? '', hint);
    return true;
  });
const ensemble = (file: string) => ({ strategy: { name: 'ensemble', teachers: [{ file }] } });

test('a model that nothing reads is refused by name: it was meant for something', async () => {
  const unread = /^SPEC_INVALID: nothing reads "extra\.onnx", which came with the job$/;
  await refused({}, { 'extra.onnx': model }, unread, /strategy "ensemble".*student\.model/);
  const two = { 'second.onnx': model, 'extra.onnx': model };
  await refused(ensemble('second.onnx'), two, unread, /The spec names second\.onnx\.$/);
  assert.deepEqual(await inspected(ensemble('second.onnx'), { 'second.onnx': model }), []);
});

test('a part that is called almost as the spec or the data is refused: the job would go on without it', async () => {
  await refused({}, { specs: note }, /nothing reads "specs"/, /Did you mean the part "spec"\?/);
  await refused({}, { 'config.json': note, Dataset: note }, /reads "Dataset"/, /the part "dataset"/);
});

test('a misspelt name is refused with the file that was meant, for teachers, students and external data', async () => {
  const meant = /Did you mean "second\.onnx"\? With the job came second\.onnx\./;
  const sent = { 'second.onnx': model };
  await refused(ensemble('secnod.onnx'), sent, /\/strategy \(ensemble\): no file "secnod\.onnx"/, meant);
  const student = { student: { model: 'secnod.onnx' } };
  await refused(student, sent, /^SPEC_INVALID: \/student\/model: no file "secnod\.onnx"/, meant);
  const assistant = { strategy: { name: 'progressive', assistants: [{ model: 'secnod.onnx' }] } };
  await refused(assistant, sent, /\/strategy \(progressive\): no file "secnod\.onnx"/, meant);
  // The file came, and goes by the last part of the path that was given.
  const far = '/home/somebody/models/of/last/year/second.onnx';
  await refused(ensemble(far), sent, /no file "\/home\/somebody/, meant);
  await refused(ensemble(far), {}, /no file "\/home\/somebody/, /call it "second\.onnx" there/);
  // What is read already was not meant.
  const strategy = { name: 'ensemble', teachers: [{ file: 'a1.onnx' }, { file: 'a2.onnx' }] };
  await refused({ strategy }, { 'a1.onnx': model }, /no file "a2\.onnx"/, /^Send it along/);
  const { bytes, weights } = outside('weights.bin');
  const external = /^ONNX_EXTERNAL_DATA: .*"weights\.bin" is missing; is it "weihgts\.bin", which came\?/;
  await refused({}, { 'weihgts.bin': weights }, external, /./, bytes);
});

test('external data of every model is read; a file beside that nothing reads is warned of', async () => {
  const [teacher, second, student] = [outside('a.bin'), outside('b.bin'), outside('c.bin')];
  const files = {
    'a.bin': teacher.weights,
    'second.onnx': second.bytes,
    'b.bin': second.weights,
    'mine.onnx': student.bytes,
    'c.bin': student.weights,
  };
  const spec = { ...ensemble('second.onnx'), student: { model: 'mine.onnx' } };
  assert.deepEqual(await inspected(spec, files, teacher.bytes), []);
  const beside = ['nothing reads "config.json", which came with the job'];
  const request = tinyRequest(tinySpec(spec), teacher.bytes, { ...files, 'config.json': note });
  const dry = await validateJob(request, memoryTools(), () => 1);
  assert.deepEqual(dry.warnings, beside);
  assert.ok(dry.student.parameters > 0);
});

test('the card of a model warns of files that came with it and that it does not read', async () => {
  const { bytes, weights } = outside('a.bin');
  const files = new Map([
    ['a.bin', weights],
    ['config.json', note],
  ]);
  const { card } = await inspectModel(bytes, files, onnxruntime);
  assert.deepEqual(card.warnings, ['the model does not read "config.json", which came with it']);
});
