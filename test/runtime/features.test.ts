import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import type { RetortError } from '../../src/errors.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memorySource } from '../support/data-files.ts';
import { layeredTeacher } from '../support/feature-job.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Losses on hidden tensors, through the whole journey. */

const artifact = async (name: string, { publish }: Results, { blobs }: Tools): Promise<Uint8Array> =>
  blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);

const logOf = async (results: Results, tools: Tools): Promise<Record<string, number>[]> =>
  new TextDecoder()
    .decode(await artifact('metrics.jsonl', results, tools))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const hints = (changes: object = {}, train: object = {}) =>
  tinySpec({
    controls: false,
    student: { architecture: 'conv-net', widths: [3, 6] },
    objective: {
      terms: [
        { loss: 'kl', weight: 0.9 },
        { loss: 'fitnet', weight: 2, from: ['stem', 'deep'], to: ['block1', 'block2'] },
      ],
    },
    train: {
      epochs: 4,
      optimizer: { name: 'adam', learningRate: 0.03 },
      batchSize: 32,
      augment: [{ name: 'translate' }, { name: 'mixup' }],
      ema: { decay: 0.9 },
      checkpointEvery: 4,
      ...train,
    },
    ...changes,
  });

const requestOf = (spec: object, teacher = layeredTeacher()) => tinyRequest(spec, teacher);

test('hints bring the student closer to the layers of the teacher, and none of their regressors is exported', async () => {
  const tools = memoryTools();
  const results = await runJourney(requestOf(hints()), tools);
  const log = (await logOf(results, tools)).filter((line) => 'loss' in line);
  assert.ok(
    log.at(-1)!['term:fitnet']! < 0.5 * log[0]!['term:fitnet']!,
    JSON.stringify([log[0], log.at(-1)]),
  );
  const { graph } = decodeModel(await artifact('student.onnx', results, tools));
  const names = [...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
  assert.ok(names.length > 5);
  assert.deepEqual(
    names.filter((name) => name.includes('objective') || name.includes('teacher')),
    [],
  );
  const report = JSON.parse(new TextDecoder().decode(await artifact('report.json', results, tools)));
  assert.ok(report.training.student.parity < 1e-4);
});

test('a stopped run with hints goes on to the same student, bit for bit', async () => {
  const whole = memoryTools();
  const expected = await artifact('student.onnx', await runJourney(requestOf(hints()), whole), whole);
  const tools = memoryTools();
  for (const stopAt of [1, 3]) {
    const stop = new AbortController();
    let seen = 0;
    const observer = {
      progress: (stage: string) => {
        if (stage === 'train' && ++seen === stopAt) stop.abort();
      },
    };
    await assert.rejects(
      runJourney({ ...requestOf(hints()), signal: stop.signal, observer }, tools),
      (error: RetortError) => error.code === 'CANCELLED',
    );
  }
  assert.deepEqual(
    await artifact('student.onnx', await runJourney(requestOf(hints()), tools), tools),
    expected,
  );
});

test('the teacher sees the very pixels of the student: of a copy of the teacher every hidden tensor is the same', async () => {
  for (const batch of ['N', 1] as const) {
    const tools = memoryTools();
    const objective = {
      terms: [{ loss: 'fitnet', from: ['stem', 'deep', 'vector'], to: ['stem', 'deep', 'vector'] }],
    };
    const spec = hints({ objective, student: { model: 'copy.onnx' } }, { steps: 4, epochs: undefined });
    const request = requestOf(JSON.parse(JSON.stringify(spec)), layeredTeacher(batch));
    const copy = memorySource('copy.onnx', layeredTeacher());
    const results = await runJourney(
      { ...request, upload: { ...request.upload, companions: [copy] } },
      tools,
    );
    const [first] = await logOf(results, tools);
    assert.ok(first!['term:fitnet']! < 1e-10, `${first!['term:fitnet']}`);
  }
});

test('tensors that are not there are refused by name, with the nearest, before the teacher is asked', async () => {
  const wrong = (from: string, to: string) => hints({ objective: { terms: [{ loss: 'fitnet', from, to }] } });
  const asked: string[] = [];
  const observer = { stage: (name: string) => void asked.push(name) };
  for (const [from, to, message, hint] of [
    ['deeep', 'block2', /the teacher has no tensor "deeep"/, /"deep"/],
    ['deep', 'block', /the student has no tensor "block"/, /"block\d"/],
    ['vector', 'hidden', /the student has no tensor "hidden"/, /problems/],
    ['deep', 'student_logits', /ranks differ|reads tensors/, /Name other tensors/],
  ] as const) {
    await assert.rejects(
      runJourney({ ...requestOf(wrong(from, to)), observer }, memoryTools()),
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

test('a job with hints can be validated and estimated before its teacher was asked', async () => {
  const tools = memoryTools();
  const { estimate } = await validateJob(requestOf(hints()), tools, () => 0);
  assert.ok(estimate.seconds.train > 0);
});
