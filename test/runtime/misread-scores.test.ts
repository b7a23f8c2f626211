import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { joinModels } from '../../src/core/onnx/join.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import type { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** Losses that take the teacher's scores otherwise than it means them: what a job is warned of, and what not. */

const options = { device: 'cpu', threads: 1 } as const;
const objective = (...terms: object[]) => ({ objective: { terms } });
const [kl, sigmoid, values] = [{ loss: 'kl' }, { loss: 'sigmoid-kd' }, { loss: 'regression-kd' }];

async function warnings(
  changes: object,
  teacher: Uint8Array = tinyTeacher(),
  companions: Readonly<Record<string, Uint8Array>> = {},
): Promise<readonly string[]> {
  const request = tinyRequest(tinySpec({ controls: false, ...changes }), teacher, companions);
  const { inspect, qualify } = await runJourney({ ...request, until: 'qualify' }, memoryTools());
  return [...inspect.card.warnings, ...inspect.warnings, ...qualify.warnings];
}

/** The tiny teacher with this behind its scores. */
function behind(end: (b: GraphBuilder, scores: string) => string): Uint8Array {
  const b = new GraphBuilder();
  const own: Model = decodeModel(tinyTeacher());
  b.output(end(b, b.input('own', 'float32', ['N', 4])));
  return encodeModel(joinModels(own, b.model('end'), { connect: { own: 'scores' } }));
}
/** A softmax that no pattern finds. */
const hidden = behind((b, scores) => b.op('Mul', [b.op('Softmax', [scores], { axis: 1 }), b.constant(1)]));

test('sigmoids on a teacher whose classes exclude one another are warned of, with what shows it', async () => {
  const words = (reason: string) => [
    `"sigmoid-kd" takes every score for a yes or no of its own, and here classes exclude one another (${reason}): "kl" takes them so`,
  ];
  const softmax = tinyTeacher({ tail: 'softmax' });
  assert.deepEqual(
    await warnings(objective(sigmoid), softmax),
    words('"scores" of the teacher comes of their softmax'),
  );
  const argmax = await warnings(objective(kl, sigmoid), tinyTeacher({ tail: 'argmax' }));
  assert.deepEqual(argmax, words('"scores" of the teacher comes of their argmax'));
  assert.deepEqual(await warnings(objective(kl), softmax), []);
  // Of plain scores nothing is known.
  assert.deepEqual(await warnings(objective(sigmoid)), []);
});

test('a softmax that is not found in the graph is found in the scores, and the student has one too', async () => {
  const tools = memoryTools();
  const train = {
    kernel: 'onnxruntime',
    epochs: 4,
    batchSize: 16,
    optimizer: { name: 'adam', learningRate: 0.03 },
  };
  const done = await runJourney(tinyRequest(tinySpec({ train, controls: false }), hidden), tools);
  assert.match(done.inspect.card.warnings.join(), /holds probabilities \(random rows add up to 1 each\)/);
  assert.equal(done.inspect.plan.scores.kind, 'probabilities');
  const session = await onnxruntime.open(await tools.blobs.get(done.export.student.model.hash), options);
  const data = Float32Array.from({ length: 64 }, (_, i) => 4 * i);
  const [scores] = Object.values(
    await session.run({ picture: { dtype: 'float32', dims: [1, 1, 8, 8], data } }),
  );
  await session.close();
  const row = [...(scores!.data as Float32Array)];
  assert.ok(row.every((p) => p >= 0) && Math.abs(row.reduce((sum, p) => sum + p, 0) - 1) < 1e-5, `${row}`);
  const { agreement, klToTeacher } = done.evaluate.models.student!.metrics;
  assert.ok(Number(agreement) > 0.8 && Number(klToTeacher) < 0.1, `${agreement}, ${klToTeacher}`);
  // As to the teacher that shows its softmax.
  const shown = await runJourney(
    tinyRequest(tinySpec({ train, controls: false }), tinyTeacher({ tail: 'softmax' })),
    memoryTools(),
  );
  const other = shown.evaluate.models.student!.metrics;
  assert.ok(Math.abs(Number(other.agreement) - Number(agreement)) < 0.02, `${other.agreement}, ${agreement}`);
  const [, exclusive] = await warnings(objective(sigmoid), hidden);
  assert.match(exclusive!, /\("\S+" of the teacher holds probabilities\)/);
});

test('values that are further off the labels than a constant are warned of; near ones are not', async () => {
  const far = behind((b, scores) => b.op('Mul', [scores, b.constant(10)]));
  const [off, ...none] = await warnings(objective(values), far);
  assert.match(off!, /^"regression-kd" takes scores for values, .* than 1\/4 for every class \(0\.188\)/);
  assert.deepEqual(none, []);
  // From 0 to 0.98 or so: about the labels.
  const near = behind((b, scores) => {
    const top = b.op('ReduceMax', [scores, b.ints([1])], { keepdims: 1 });
    return b.op('Exp', [b.op('Mul', [b.op('Sub', [scores, top]), b.constant(4)])]);
  });
  assert.deepEqual(await warnings(objective(values), near), []);
  assert.deepEqual(await warnings(objective(kl), far), []);
});

const ensemble = (more: object = {}, further: object = {}) => ({
  strategy: { name: 'ensemble', teachers: [{ file: 'b.onnx', ...further }], combine: 'logits', ...more },
});

test('teachers of an ensemble are warned of one by one, by name', async () => {
  const job = (loss: object, b: Uint8Array, further = {}) =>
    warnings({ ...objective(loss), ...ensemble({}, further) }, tinyTeacher(), { 'b.onnx': b });
  assert.deepEqual(await job(sigmoid, tinyTeacher()), []);
  const [softmax, ...none] = await job(sigmoid, tinyTeacher({ tail: 'softmax' }));
  assert.match(softmax!, /^further teacher "b\.onnx": "sigmoid-kd" takes every score .* their softmax/);
  assert.deepEqual(none, []);
  // The job's own and the further one.
  const told = await job(values, tinyTeacher({ gain: 0.04 }));
  assert.equal(told.length, 2);
  assert.match(told[1]!, /^further teacher "b\.onnx": "regression-kd" takes scores for values/);
  // Its classes in another order are compared with its own outputs.
  const renamed = { labels: { '0': 3, '1': 2, '2': 1, '3': 0 } };
  const turned = await job(values, tinyTeacher({ gain: 0.04, outputs: [3, 2, 1, 0] }), renamed);
  assert.equal(turned[1], told[1]);
});

test('what leaves no scores as they are is refused for losses that take them so, and the mean of logits is not', async () => {
  const refused = (loss: object, strategy: object, words: RegExp, b = tinyTeacher()) =>
    assert.rejects(
      () => warnings({ ...objective(kl, loss), ...strategy }, tinyTeacher(), { 'b.onnx': b }),
      (error: RetortError) =>
        error.code === 'SPEC_INVALID' && words.test(error.message) && /"kl"/.test(error.hint ?? ''),
    );
  for (const loss of [sigmoid, values]) {
    const name = `"${loss.loss}" takes the teacher.* scores as they are`;
    const combined = (combine: string) =>
      new RegExp(`^/strategy/combine: "${combine}" makes .*, and ${name}`);
    await refused(loss, ensemble({ combine: undefined }), combined('probabilities'));
    await refused(loss, ensemble({ combine: 'standardized-logits' }), combined('standardized-logits'));
    const part = ensemble({}, { labels: { '2': 0, '3': 1 } });
    await refused(loss, part, new RegExp(`${name}.*"b\\.onnx"`), tinyTeacher({ outputs: [2, 3] }));
  }
  const standard = ensemble({ combine: 'standardized-logits' });
  assert.deepEqual(
    await warnings({ ...objective(kl), ...standard }, undefined, { 'b.onnx': tinyTeacher() }),
    [],
  );
});

test('a dry run warns of it too', async () => {
  const request = tinyRequest(tinySpec(objective(sigmoid)), tinyTeacher({ tail: 'softmax' }));
  const { warnings: told } = await validateJob(request, memoryTools(), () => 1);
  assert.match(told.join(), /^"sigmoid-kd" takes every score/);
});
