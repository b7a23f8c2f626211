import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import type { RetortError } from '../../src/errors.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Students that teach their own inner layers, through the whole journey. */

const artifact = async (name: string, { publish }: Results, { blobs }: Tools): Promise<Uint8Array> =>
  blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);

const train = {
  epochs: 3,
  batchSize: 64,
  kernel: 'onnxruntime',
  optimizer: { name: 'adam', learningRate: 0.03 },
};
const specOf = (student: object, terms: readonly object[], more: object = {}) =>
  tinySpec({ controls: false, student, objective: { terms }, train, ...more });

const conv = { architecture: 'conv-net', widths: [3, 6, 6] };
const hard = { loss: 'cross-entropy' };
const within = { loss: 'self-distillation', weight: 'published' };

test('auto finds the layers, published counts the inner ones, both stand in the resolved spec; no head is exported', async () => {
  const tools = memoryTools();
  const results = await runJourney(tinyRequest(specOf(conv, [hard, within])), tools);
  const text = new TextDecoder().decode(await artifact('spec.json', results, tools));
  const [, term] = JSON.parse(text).resolved.objective.terms;
  assert.deepEqual(term.at, ['block1', 'block2', 'block3']);
  assert.equal(term.weight, 2);
  const log = new TextDecoder()
    .decode(await artifact('metrics.jsonl', results, tools))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)['term:self-distillation'])
    .filter((value) => value !== undefined);
  assert.ok(log.at(-1) < 0.9 * log[0], `${log[0]} to ${log.at(-1)}`);
  const { graph } = decodeModel(await artifact('student.onnx', results, tools));
  const names = [...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
  assert.ok(names.length > 5);
  assert.deepEqual(
    names.filter((name) => name.includes('objective')),
    [],
  );
});

test('generations of such students, a weight set by the ratio, without labels', async () => {
  const terms = [
    { loss: 'kl' },
    { loss: 'self-distillation', weight: 'auto', alpha: 1, at: ['hidden1', 'hidden2'] },
  ];
  const student = { architecture: 'mlp', hidden: [8, 6] };
  const strategy = { name: 'self', generations: 2 };
  const results = await runJourney(tinyRequest(specOf(student, terms, { strategy })), memoryTools());
  assert.deepEqual(
    results.train.phases.map(({ name }) => name),
    ['generation-1', 'generation-2'],
  );
  const [, term] = results.match.terms!;
  assert.ok(term!.weight > 0 && term!.weight !== 1);
});

test('students without inner layers and names that are none are refused with what to do, before the teacher is asked', async () => {
  const asked: string[] = [];
  const observer = { stage: (name: string) => void asked.push(name) };
  for (const [student, at, message, hint] of [
    [{ architecture: 'mlp', hidden: [] }, 'auto', /the student has no layer in front/, /deeper student/],
    [{ architecture: 'mlp', hidden: [8] }, 'auto', /only one layer in front/, /deeper student/],
    [conv, ['block1', 'blok2'], /the student has no tensor "blok2"/, /"block2"/],
  ] as const) {
    const spec = specOf(student, [hard, { ...within, at }]);
    await assert.rejects(
      runJourney({ ...tinyRequest(spec), observer }, memoryTools()),
      (error: RetortError) => {
        assert.equal(error.code, 'SPEC_INVALID');
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  }
  assert.ok(!asked.includes('teach'));
});
