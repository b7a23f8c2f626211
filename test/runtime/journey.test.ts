import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import type { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import type { ResolvedSpec } from '../../src/spec/resolved-spec.ts';
import { memorySource } from '../support/data-files.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

const artifact = async (name: string, { publish }: Results, { blobs }: Tools): Promise<Uint8Array> =>
  blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);
const reportOf = async (results: Results, tools: Tools): Promise<Report> =>
  JSON.parse(new TextDecoder().decode(await artifact('report.json', results, tools)));
const augmented = tinySpec({
  train: {
    // Two stores would settle on a kernel each.
    kernel: 'onnxruntime',
    epochs: 3,
    batchSize: 32,
    optimizer: { name: 'sgd', learningRate: 0.1 },
    schedule: { name: 'one-cycle' },
    augment: [{ name: 'translate' }],
    ema: { decay: 0.9 },
    checkpointEvery: 4,
  },
});

test('teacher and pictures become a student that agrees with the teacher, and every file is there', async () => {
  const tools = memoryTools();
  const results = await runJourney(tinyRequest(), tools);
  const report = await reportOf(results, tools);
  assert.equal(report.models.teacher!.metrics.agreement, 1);
  assert.equal(report.models.teacher!.metrics.klToTeacher, 0);
  assert.ok(Number(report.models.teacher!.metrics.accuracy) > 0.9);
  assert.ok(Number(report.models.student!.metrics.agreement) > 0.8);
  assert.ok(Number(report.models.control!.metrics.accuracy) > 0.6);
  assert.equal(report.rows, 120);
  assert.match(report.ran.engine, /^(onnxruntime|tfjs) \d/);
  assert.ok(report.training.student!.parity < 1e-4);
  for (const role of ['teacher', 'control', 'student'] as const) {
    for (const { p50, p95 } of report.latency[role]!) assert.ok(p50 > 0 && p95 >= p50);
  }
  assert.deepEqual(results.publish.artifacts.map(({ name }) => name).sort(), [
    'control-metrics.jsonl',
    'control.onnx',
    'manifest.json',
    'metrics.jsonl',
    'model-card.md',
    'report.json',
    'spec.json',
    'student.onnx',
  ]);
  const log = new TextDecoder().decode(await artifact('metrics.jsonl', results, tools));
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  const losses = lines.filter((line) => 'loss' in line).map((line) => line.loss!);
  assert.ok(losses.at(-1)! < losses[0]!);
  assert.equal(lines.filter((line) => 'validation' in line).length, 4);
});

test('the largest student within the limits is chosen, of any architecture', async () => {
  const tools = memoryTools();
  for (const auto of [{ maxParams: 3000 }, { maxMacs: 20_000 }, { maxBytes: 12_000 }]) {
    const spec = tinySpec({ student: { auto }, controls: false, train: { epochs: 1, batchSize: 32 } });
    const { student } = (await reportOf(await runJourney(tinyRequest(spec), tools), tools)).models;
    assert.ok(student!.parameters <= (auto.maxParams ?? Number.POSITIVE_INFINITY));
    assert.ok(student!.macs! <= (auto.maxMacs ?? Number.POSITIVE_INFINITY));
    assert.ok(student!.bytes <= (auto.maxBytes ?? Number.POSITIVE_INFINITY));
    assert.ok(student!.parameters > 200);
  }
  const none = tinySpec({ student: { auto: { maxParams: 3 } } });
  await assert.rejects(
    runJourney(tinyRequest(none), tools),
    (error: RetortError) => error.code === 'STUDENT_UNFIT',
  );
});

test('finished stages are skipped; a new objective reuses the teacher and the control', async () => {
  const tools = memoryTools();
  await runJourney(tinyRequest(), tools);
  const skippedIn = async (spec: object): Promise<string[]> => {
    const { timings } = await runJourney(tinyRequest(spec), tools);
    return timings.filter(({ skipped }) => skipped).map(({ stage }) => stage);
  };
  const all = [
    'inspect',
    'decode',
    'qualify',
    'match',
    'recover',
    'teach',
    'calibrate',
    'choose',
    'control',
    'train',
    'export',
    'evaluate',
  ];
  assert.deepEqual(await skippedIn(tinySpec()), all);
  const objective = { terms: [{ loss: 'logit-mse' }] };
  assert.deepEqual(await skippedIn(tinySpec({ objective })), all.slice(0, 9));
  assert.deepEqual(await skippedIn(tinySpec({ seed: 1 })), [
    'inspect',
    'decode',
    'match',
    'recover',
    'choose',
  ]);
});

test('a stopped run goes on to the same student, bit for bit', async () => {
  const whole = memoryTools();
  const expected = await artifact('student.onnx', await runJourney(tinyRequest(augmented), whole), whole);
  const tools = memoryTools();
  let stops = 0;
  for (const stopAt of [1, 2, 3]) {
    // Stops in the middle of a run, each time a little later.
    const stop = new AbortController();
    let seen = 0;
    const observer = {
      progress: (stage: string) => {
        if (stage === 'train' && ++seen === stopAt) stop.abort();
      },
    };
    await assert.rejects(
      runJourney({ ...tinyRequest(augmented), signal: stop.signal, observer }, tools),
      (error: RetortError) => error.code === 'CANCELLED',
    );
    stops++;
  }
  const resumed = await runJourney(tinyRequest(augmented), tools);
  assert.equal(stops, 3);
  assert.deepEqual(await artifact('student.onnx', resumed, tools), expected);
});

test('a stop while the dataset is decoded is a cancellation like any other', async () => {
  const stop = new AbortController();
  const observer = { stage: (stage: string) => void (stage === 'decode' && stop.abort()) };
  await assert.rejects(
    runJourney({ ...tinyRequest(), signal: stop.signal, observer }, memoryTools()),
    (error: RetortError) => error.code === 'CANCELLED' && /decoding/.test(error.message),
  );
});

test('a student that stops early is compared with a control of all steps, and the report says so', async () => {
  const tools = memoryTools();
  const optimizer = { name: 'sgd', learningRate: 1e-9 };
  const train = { epochs: 5, batchSize: 64, optimizer, earlyStopping: { patience: 1 } };
  const results = await runJourney(tinyRequest(tinySpec({ train })), tools);
  // A round of 4 steps that is the best for want of others, and one that is not better.
  assert.equal(results.train.steps, 8);
  assert.equal(results.control!.steps, 20);
  const { warnings } = await reportOf(results, tools);
  assert.ok(
    warnings.includes('the student stopped early after 8 steps; the control made all 20'),
    `${warnings}`,
  );
});

test('a teacher no better than chance is refused with figures, unless the spec overrides', async () => {
  const teacher = tinyTeacher({ wrong: true });
  await assert.rejects(runJourney(tinyRequest(tinySpec(), teacher), memoryTools()), (error: RetortError) => {
    assert.equal(error.code, 'TEACHER_QUALITY');
    assert.ok(Number(error.facts.balancedAccuracy) < 0.2);
    assert.ok(error.problems.some((problem) => problem.includes('0..1')));
    return true;
  });
  const spec = tinySpec({ teacherQuality: { override: true }, controls: false, train: { epochs: 1 } });
  const tools = memoryTools();
  const results = await runJourney(tinyRequest(spec, teacher), tools);
  const report = await reportOf(results, tools);
  assert.match(report.warnings.join(), /not better than chance/);
  assert.equal(report.models.control, undefined);
});

test('an uploaded model is trained as the student', async () => {
  const tools = memoryTools();
  const request = tinyRequest(tinySpec({ student: { model: 'mine.onnx' }, controls: false }));
  await assert.rejects(runJourney(request, tools), (error: RetortError) => {
    return error.code === 'SPEC_INVALID' && error.message.includes('mine.onnx');
  });
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 1, 8, 8]);
  const flat = b.op('Mul', [b.op('Flatten', [x], { axis: 1 }), b.constant(1 / 255)]);
  const random = new Random(3, 'weights');
  const values = Float32Array.from({ length: 64 * 4 }, () => random.normal() / 8);
  const ones = (name: string, value: number) =>
    b.initializer(name, tensor('float32', [4], new Float32Array(4).fill(value)));
  // Names that training uses itself.
  const w = b.initializer('learning_rate', tensor('float32', [64, 4], values));
  const hidden = b.op('MatMul', [flat, w], {}, { outputs: ['loss'] });
  const normal = [ones('scale', 1), ones('shift', 0), ones('mean', 0), ones('variance', 1)];
  const scores = b.op('BatchNormalization', [hidden, ...normal]);
  b.output(b.op('Softmax', [scores], { axis: 1 }, { outputs: ['y'] }));
  const mine = memorySource('mine.onnx', encodeModel(b.model()));
  const upload = { ...request.upload, companions: [mine] };
  const report = await reportOf(await runJourney({ ...request, upload }, tools), tools);
  assert.ok(Number(report.models.student!.metrics.agreement) > 0.8);
});

test('a student that cannot be trained is refused before the teacher is asked, with all that is in the way', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 1, 8, 8]);
  const weight = (name: string, dims: readonly [number, number]) =>
    b.initializer(name, tensor('float32', dims, new Float32Array(dims[0] * dims[1]).fill(0.1)));
  const wide = b.op('MatMul', [b.op('Flatten', [x], { axis: 1 }), weight('w', [64, 16])]);
  const squares = b.op('Reshape', [wide, b.ints([-1, 4, 2, 2])]);
  const first = b.op('Det', [squares], {}, { name: 'first' });
  const again = b.op('Reshape', [b.op('Gemm', [first, weight('v', [4, 16])]), b.ints([-1, 4, 2, 2])]);
  const second = b.op('Det', [again], {}, { name: 'second' });
  b.output(b.op('Gemm', [second, weight('u', [4, 4])], {}, { outputs: ['scores'] }));
  const student = memorySource('mine.onnx', encodeModel(b.model()));
  const request = tinyRequest(tinySpec({ student: { model: 'mine.onnx' }, controls: false }));
  const asked: string[] = [];
  const observer = { progress: (stage: string) => void asked.push(stage) };
  const upload = { ...request.upload, companions: [student] };
  await assert.rejects(runJourney({ ...request, upload, observer }, memoryTools()), (error: RetortError) => {
    assert.equal(error.code, 'GRAD_MISSING_RULE');
    assert.deepEqual(
      error.problems.map((problem) => /Det "(\w+)"/.exec(problem)?.[1]),
      ['second', 'first'],
    );
    return true;
  });
  assert.ok(!asked.includes('teach'));
});

test('how many rows the teacher gets at a time is settled, told, kept, and part of what it was asked', async () => {
  const tools = memoryTools();
  const kept: ResolvedSpec[] = [];
  const settled = async (spec: ResolvedSpec) => void kept.push(spec);
  const request = { ...tinyRequest(), until: 'teach' as const, settled };
  const first = await runJourney(request, tools);
  assert.deepEqual(first.qualify.teacherRows.rows, 64);
  assert.match(first.qualify.teacherRows.reason, /^\d+ rows are too few to measure$/);
  assert.equal(kept[0]!.train.teacherRows, 64);
  const keyOf = ({ timings }: typeof first) => timings.find(({ stage }) => stage === 'teach')!.key;
  const again = await runJourney({ ...request, spec: kept[0]! }, tools);
  assert.equal(keyOf(again), keyOf(first));
  const { train } = kept[0]!;
  const other = await runJourney(
    { ...request, spec: { ...kept[0]!, train: { ...train, teacherRows: 3 } } },
    tools,
  );
  assert.notEqual(keyOf(other), keyOf(first));
  assert.deepEqual(other.qualify, first.qualify);
});
