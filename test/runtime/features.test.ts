import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeDataset } from '../../examples/shapes/write-dataset.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import type { RetortError } from '../../src/errors.ts';
import { foundPairs } from '../../src/pipeline/layers/found-pairs.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import type { ResolvedSpec } from '../../src/spec/resolved-spec.ts';
import { memorySource } from '../support/data-files.ts';
import { layeredTeacher } from '../support/feature-job.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Losses on hidden tensors, through the whole journey. */

const examples = new URL('../../examples/shapes/', import.meta.url);

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
  // Named, since `auto` measures, and may take the other one in the second run.
  const request = requestOf(hints({}, { kernel: 'onnxruntime' }));
  const whole = memoryTools();
  const expected = await artifact('student.onnx', await runJourney(request, whole), whole);
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
      runJourney({ ...request, signal: stop.signal, observer }, tools),
      (error: RetortError) => error.code === 'CANCELLED',
    );
  }
  assert.deepEqual(await artifact('student.onnx', await runJourney(request, tools), tools), expected);
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

test('auto finds layers of like depth, writes them into the resolved spec, and the report says how alike they are', async () => {
  const tools = memoryTools();
  const objective = {
    terms: [{ loss: 'attention-transfer', weight: 10 }, { loss: 'similarity-preserving' }, { loss: 'kl' }],
  };
  const results = await runJourney(requestOf(hints({ objective })), tools);
  const found = foundPairs(results.match.terms!);
  assert.deepEqual(
    found.map(({ loss, from, to }) => [loss, from, to]),
    [
      ['attention-transfer', 'stem', 'block1'],
      ['attention-transfer', 'deep', 'block2'],
      ['similarity-preserving', 'deep', 'block2'],
    ],
  );
  for (const { likeness } of found) assert.ok(likeness > 0 && likeness <= 1 + 1e-9, `${likeness}`);
  const { resolved } = JSON.parse(new TextDecoder().decode(await artifact('spec.json', results, tools)));
  assert.deepEqual(resolved.objective.terms[0].from, ['stem', 'deep']);
  const report = JSON.parse(new TextDecoder().decode(await artifact('report.json', results, tools)));
  assert.deepEqual(report.training.student.layers, found);
  const card = new TextDecoder().decode(await artifact('model-card.md', results, tools));
  assert.match(card, /Compared by attention-transfer: `deep` of the teacher, `block2` of the student/);
});

test('of a trained teacher the layers of like size are found; in two stages they are settled for the hints', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'retort-layers-'));
  try {
    const path = join(folder, 'pictures.zip');
    await writeDataset(path, { seed: 1, train: 8, validation: 2, test: 2, unlabelled: 0 });
    const spec = hints({
      inputs: { pixels: { scale: 2 / 255, mean: [1, 1, 1], std: [1, 1, 1] } },
      student: { architecture: 'conv-net', widths: [4, 8, 12] },
      strategy: { name: 'two-stage' },
      objective: { terms: [{ loss: 'nst' }, { loss: 'fitnet' }, { loss: 'pkd' }, { loss: 'kl' }] },
    });
    const request = requestOf(spec, readFileSync(new URL('teacher.onnx', examples)));
    const data = [memorySource('pictures.zip', readFileSync(path))];
    const settled: ResolvedSpec[] = [];
    const { match } = await runJourney(
      {
        ...request,
        upload: { ...request.upload, data },
        until: 'match',
        settled: async (resolved) => void settled.push(resolved),
      },
      memoryTools(),
    );
    assert.deepEqual(
      foundPairs(match.terms!).map(({ loss, from, to }) => [loss, from, to]),
      [
        ['nst', 'relu_2', 'block1'],
        ['nst', 'relu_4', 'block2'],
        ['nst', 'relu_6', 'block3'],
        ['fitnet', 'relu_4', 'block2'],
        ['pkd', 'relu_6', 'block3'],
      ],
    );
    const [hinted, rest] = settled.at(-1)!.phases;
    assert.deepEqual(hinted!.terms[1]!.from, ['relu_4']);
    assert.deepEqual(
      rest!.terms.map(({ loss }) => loss),
      ['kl'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('layers that cannot be compared are refused with those there are', async () => {
  const spec = hints({
    objective: { terms: [{ loss: 'cwd' }] },
    student: { architecture: 'mlp', hidden: [8] },
  });
  await assert.rejects(runJourney(requestOf(spec), memoryTools()), (error: RetortError) => {
    assert.equal(error.code, 'SPEC_INVALID');
    assert.deepEqual(error.problems, [
      'teacher layer "stem" [N, 6, 4, 4]',
      'teacher layer "deep" [N, 5, 2, 2]',
      'student layer "hidden1" [N, 8]',
    ]);
    return true;
  });
});

test('weights are set by the ratio at the start and by what was published, and written into the resolved spec', async () => {
  const tools = memoryTools();
  const objective = {
    terms: [
      { loss: 'kl', weight: 0.5 },
      { loss: 'cross-entropy', weight: 0.5 },
      { loss: 'fitnet', weight: 'auto' },
      { loss: 'attention-transfer', weight: 'published' },
      { loss: 'logit-mse', weight: 'auto' },
      { loss: 'dkd', weight: 'published' },
    ],
  };
  const spec = hints(
    { objective },
    { epochs: 1, augment: [], optimizer: { name: 'sgd', learningRate: 1e-6 } },
  );
  const settled: ResolvedSpec[] = [];
  const results = await runJourney(
    { ...requestOf(spec), settled: async (resolved) => void settled.push(resolved) },
    tools,
  );
  const { terms } = settled.at(-1)!.objective;
  const weights = Object.fromEntries(terms.map(({ loss, weight }) => [loss, weight]));
  assert.equal(weights['attention-transfer'], 2000);
  assert.equal(weights.dkd, 1);
  // The rate is so small that all steps see the untrained student.
  const log = (await logOf(results, tools)).filter((line) => 'loss' in line);
  const mean = (loss: string): number =>
    log.reduce((sum, line) => sum + line[`term:${loss}`]!, 0) / log.length;
  const given = ['kl', 'cross-entropy', 'attention-transfer', 'dkd'];
  const fixed = given.reduce((sum, loss) => sum + weights[loss]! * mean(loss), 0);
  for (const loss of ['fitnet', 'logit-mse']) {
    const share = (weights[loss]! * mean(loss)) / fixed;
    assert.ok(Math.abs(share - 1) < 0.1, `${loss}: ${share}`);
  }
  const report = JSON.parse(new TextDecoder().decode(await artifact('report.json', results, tools)));
  assert.deepEqual(
    report.training.student.weights.map(({ loss, weight }: { loss: string; weight: number }) => [
      loss,
      weight,
    ]),
    [
      ['fitnet', weights.fitnet],
      ['logit-mse', weights['logit-mse']],
    ],
  );
  const card = new TextDecoder().decode(await artifact('model-card.md', results, tools));
  assert.match(card, /Weight of fitnet: [\d.]+, set from its value before training/);
  // A retry begins with the settled spec: nothing is measured again, nothing is forgotten.
  const again = await runJourney({ ...requestOf(spec), spec: settled.at(-1)! }, tools);
  const repeated = JSON.parse(new TextDecoder().decode(await artifact('report.json', again, tools)));
  assert.deepEqual(repeated.training, report.training);
  assert.ok(again.timings.find(({ stage }) => stage === 'train')!.skipped);
});

test('a weight that cannot be set is refused: by nothing, of nothing', async () => {
  const refused = async (terms: readonly object[], student: object, message: RegExp) =>
    assert.rejects(
      async () => {
        const request = requestOf(hints({ objective: { terms }, student }, { steps: 2, epochs: undefined }));
        const copy = memorySource('copy.onnx', layeredTeacher());
        return runJourney({ ...request, upload: { ...request.upload, companions: [copy] } }, memoryTools());
      },
      (error: RetortError) => {
        assert.equal(error.code, 'SPEC_INVALID');
        assert.match(error.message, message);
        return true;
      },
    );
  const net = { architecture: 'conv-net', widths: [3, 6] };
  await refused([{ loss: 'kl', weight: 'auto' }], net, /one term needs a number/);
  await refused([{ loss: 'mgd', weight: 'published' }], net, /weight/);
  const same = { loss: 'fitnet', weight: 'auto', from: 'deep', to: 'deep' };
  await refused([{ loss: 'kl' }, same], { model: 'copy.onnx' }, /"fitnet" cannot be set/);
});
