import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeNpy } from '../../src/data/encode-npy.ts';
import { RetortError } from '../../src/errors.ts';
import { loadLogits } from '../../src/pipeline/logits/logits-store.ts';
import { refuseNotFinite } from '../../src/pipeline/logits/refuse-not-finite.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { unknownQuality } from '../../src/pipeline/teacher/unknown-quality.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memorySource } from '../support/data-files.ts';
import { kernels } from '../support/kernels.ts';
import { steppingClock } from '../support/stepping-clock.ts';
import {
  memoryTools,
  type TinyTeacher,
  tinyPictures,
  tinyRequest,
  tinySpec,
  tinyTeacher,
} from '../support/tiny-job.ts';

/** Jobs with several teachers, each fed and labelled in its own way, through the whole journey. */

/** Teachers that are right by construction, each in its own way of seeing and naming. */
const others: Readonly<Record<string, { readonly teacher: TinyTeacher; readonly spec: object }>> = {
  'large.onnx': { teacher: { side: 16, layout: 'NHWC', tail: 'softmax' }, spec: { weight: 2 } },
  'renamed.onnx': {
    teacher: { outputs: [3, 1, 0, 2] },
    spec: { labels: { '3': 0, '1': 1, '0': 2, '2': 3 } },
  },
  'fine.onnx': {
    teacher: { outputs: [0, 1, 1, -1, 2, 3, 3] },
    spec: { labels: { '0': 0, '1': [1, 2], '2': 4, '3': [5, 6] } },
  },
  'pair.onnx': { teacher: { outputs: [2, 0], gain: 0.008 }, spec: { labels: { '2': 0, '0': 1 } } },
};
const files = Object.fromEntries(
  Object.entries(others).map(([name, { teacher }]) => [name, tinyTeacher(teacher)]),
);
const teachers = (names: readonly string[] = Object.keys(others)) =>
  names.map((file) => ({ file, ...others[file]!.spec }));

const specOf = (strategy: object, train: object = {}, more: object = {}) =>
  tinySpec({
    strategy: 'name' in strategy ? strategy : { name: 'ensemble', teachers: teachers(), ...strategy },
    train: {
      kernel: 'onnxruntime',
      epochs: 4,
      batchSize: 64,
      optimizer: { name: 'adam', learningRate: 0.03 },
      ...train,
    },
    controls: false,
    ...more,
  });
type Files = Readonly<Record<string, Uint8Array>>;
/** Those of the files that the spec names: others would be refused. */
const namedBy = (spec: object): Files =>
  Object.fromEntries(Object.entries(files).filter(([name]) => JSON.stringify(spec).includes(name)));
const request = (spec: object, sent = namedBy(spec)) => tinyRequest(spec, tinyTeacher(), sent);

const artifact = async (name: string, { publish }: Results, { blobs }: Tools): Promise<Uint8Array> =>
  blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);
const textOf = async (name: string, results: Results, tools: Tools): Promise<string> =>
  new TextDecoder().decode(await artifact(name, results, tools));

test('the report shows every teacher on the classes it knows, the ensemble, and all weights', async () => {
  const tools = memoryTools();
  const results = await runJourney(request(specOf({})), tools);
  const report: Report = JSON.parse(await textOf('report.json', results, tools));
  const { ensemble, models } = report;
  assert.deepEqual(
    ensemble!.teachers.map(({ name, knows }) => [name, knows]),
    [
      ['teacher', null],
      ['large.onnx', null],
      ['renamed.onnx', null],
      ['fine.onnx', null],
      ['pair.onnx', ['0', '2']],
    ],
  );
  assert.deepEqual(
    ensemble!.teachers.map(({ weight }) => weight),
    [1, 2, 1, 1, 1].map((weight) => weight / 6),
  );
  for (const { name, metrics, quality, meanWeight, weight } of ensemble!.teachers) {
    assert.ok(Number(metrics.accuracy) > 0.9, `${name}: ${metrics.accuracy}`);
    assert.ok(Number(metrics.agreement) > 0.9, name);
    assert.ok(quality!.accuracy > 0.9, name);
    assert.equal(meanWeight, weight);
  }
  // A quarter of the rows is of each class.
  assert.deepEqual(
    ensemble!.teachers.map(({ rows }) => rows),
    [1, 1, 1, 1, 0.5].map((share) => share * report.rows),
  );
  assert.equal(ensemble!.teachers[4]!.quality!.rows, ensemble!.teachers[0]!.quality!.rows / 2);
  const { perClassAccuracy } = ensemble!.teachers[4]!.metrics as { perClassAccuracy: number[] };
  assert.ok(perClassAccuracy.length === 2 && Math.min(...perClassAccuracy) > 0.9, `${perClassAccuracy}`);
  assert.ok(Number(models.ensemble!.metrics.accuracy) > 0.95);
  assert.equal(models.ensemble!.metrics.agreement, 1);
  assert.equal(models.ensemble!.metrics.klToTeacher, 0);
  assert.equal(
    models.ensemble!.parameters,
    ensemble!.teachers.reduce((sum, { parameters }) => sum + parameters, 0),
  );
  const { agreement } = models.student!.metrics;
  assert.ok(Number(agreement) > 0.7, `${agreement}`);
  const card = await textOf('model-card.md', results, tools);
  assert.match(card, /- Strategy: ensemble\n/);
  assert.match(
    card,
    /- Ensemble: mean of probabilities at T = 1, weights fixed\n {2}- teacher: weight 0\.1667/,
  );
  assert.match(card, /pair\.onnx: .*knows 0, 2: figures on the 60 test rows of these, .*sha256 [0-9a-f]{64}/);
  assert.match(card, /\| pair\.onnx \(on 60 rows of 2 classes\) \|/);
  assert.match(card, /\| large\.onnx \| 9\d\.\d\d %|\| large\.onnx \| 100\.00 %/);
  const manifest = JSON.parse(await textOf('manifest.json', results, tools));
  assert.equal(manifest.teachers.length, 4);
});

test('pictures are decoded once for each size and colour, and every teacher sees the same ones, however augmented', async () => {
  const names = ['large.onnx', 'renamed.onnx', 'fine.onnx'];
  const augment = [{ name: 'translate' }, { name: 'flip' }, { name: 'mixup' }];
  const spec = specOf({ teachers: teachers(names), combine: 'logits' }, { augment, epochs: 2 });
  const tools = memoryTools();
  const done = await runJourney({ ...request(spec), until: 'teach' }, tools);
  const [large, renamed] = done.decode.others!;
  assert.deepEqual(renamed, done.decode.files);
  assert.notDeepEqual(large, done.decode.files);
  // All say the same of the same picture, so the mean of their logits is what one says alone.
  const alone = tinySpec({ ...spec, strategy: { name: 'single-stage' } });
  const aloneTools = memoryTools();
  const own = await runJourney({ ...request(alone), until: 'teach' }, aloneTools);
  for (const [view, one] of [...done.teach.train, done.teach.validation].entries()) {
    const single = [...own.teach.train, own.teach.validation][view]!;
    const [all, only] = [await loadLogits(tools.blobs, one), await loadLogits(aloneTools.blobs, single)];
    assert.equal(all.length, only.length);
    let [agree, rows] = [0, 0];
    for (let at = 0; at < all.length; at += 4, rows++) {
      const best = (z: Float32Array) => z.subarray(at, at + 4).indexOf(Math.max(...z.subarray(at, at + 4)));
      if (best(all) === best(only)) agree++;
    }
    assert.ok(agree / rows > 0.9, `view ${view}: ${agree} of ${rows}`);
  }
});

const stopped = (error: unknown): boolean => error instanceof RetortError && error.code === 'CANCELLED';
class Killed extends Error {}

/** Runs a job that is stopped or killed once while each shard of each teacher is made, and in training, until it is through. */
async function interrupted(how: 'stop' | 'kill', spec: object, shards: readonly number[], tools: Tools) {
  const hit = new Set<string>();
  for (let runs = 0; ; runs++) {
    assert.ok(runs < 100, 'the job does not get on');
    const stop = new AbortController();
    const end = (where: string): void => {
      if (hit.has(where)) return;
      hit.add(where);
      if (how === 'kill') throw new Killed();
      stop.abort();
    };
    const progress = (stage: string, done: number): void => {
      if (stage === 'train' && done > 0) end('train');
      // Told before a shard is kept; at the beginning of a run what is done ends a shard of an earlier one.
      const shard = shards.findIndex((end, i) => done > (shards[i - 1] ?? 0) && done <= end);
      if (stage === 'teach' && shard >= 0) end(`shard ${shard}`);
    };
    try {
      const results = await runJourney(
        { ...request(spec), signal: stop.signal, observer: { progress } },
        tools,
      );
      return { results, hit };
    } catch (error) {
      if (!stopped(error) && !(error instanceof Killed)) throw error;
    }
  }
}

for (const kernel of kernels) {
  for (const weights of ['fixed', 'agreement', 'learned']) {
    test(`${kernel.name}, ${weights} weights: stopped or killed while any teacher is asked it makes the same student, bit for bit`, async () => {
      const names = ['large.onnx', 'fine.onnx', 'pair.onnx'];
      const strategy = { teachers: teachers(names), weights, combine: 'standardized-logits' };
      const train = { kernel: kernel.name, epochs: 2, augment: [{ name: 'translate' }] };
      const spec = specOf(strategy, { ...train, checkpointEvery: 3 });
      const whole = memoryTools();
      const expected = await runJourney(request(spec), whole);
      const { splits } = expected.qualify.card;
      const views = [splits.validation.rows, splits.train.rows, splits.train.rows];
      let end = 0;
      const shards = [0, 1, 2, 3].flatMap(() => views.map((rows) => (end += rows)));
      for (const how of ['stop', 'kill'] as const) {
        const tools = memoryTools();
        const { results, hit } = await interrupted(how, spec, shards, tools);
        assert.equal(hit.size, shards.length + 1, `${how} in every shard and in training`);
        assert.deepEqual(results.teach, expected.teach);
        for (const file of ['student.onnx', 'metrics.jsonl']) {
          assert.deepEqual(
            await artifact(file, results, tools),
            await artifact(file, expected, whole),
            `${how}: ${file}`,
          );
        }
      }
    });
  }
}

/** Counts the shards that were made. */
const made = async (tools: Tools): Promise<number> => (await tools.jobs.list({ prefix: 'shard/' })).length;

test("a teacher's logits are asked for once: by other weights, among other teachers, or alone", async () => {
  const tools = memoryTools();
  const until = 'teach' as const;
  const override = { teacherQuality: { override: true } };
  const names = ['renamed.onnx', 'pair.onnx'];
  await runJourney({ ...request(specOf({ teachers: teachers(names) })), until }, tools);
  // Validation and training rows of three.
  assert.equal(await made(tools), 6);
  const other = { combine: 'logits', weights: 'confidence', weight: 3 };
  await runJourney({ ...request(specOf({ teachers: teachers(names), ...other })), until }, tools);
  await runJourney({ ...request(specOf({ teachers: teachers(['pair.onnx']) })), until }, tools);
  await runJourney({ ...request(specOf({ name: 'single-stage' }), {}), until }, tools);
  // As the job's own teacher its outputs name the classes, which its logits do not know of.
  const alone = tinyRequest(specOf({ name: 'single-stage' }, {}, override), files['renamed.onnx']);
  await runJourney({ ...alone, until }, tools);
  assert.equal(await made(tools), 6);
  await runJourney({ ...request(specOf({ teachers: teachers(['fine.onnx']) })), until }, tools);
  assert.equal(await made(tools), 8);
});

test('helpers make shards of any teacher, by the names they were offered under', async () => {
  const spec = specOf({ teachers: teachers(['renamed.onnx', 'pair.onnx']) });
  const expected = (await runJourney({ ...request(spec), until: 'teach' }, memoryTools())).teach;
  const tools = memoryTools();
  const stop = new AbortController();
  const offers: { key: string; parts: readonly string[] }[] = [];
  const offer = (_: string, key: string, left: { parts(): readonly { readonly name: string }[] }): void => {
    offers.push({ key, parts: left.parts().map(({ name }) => name) });
    stop.abort();
  };
  const first = { ...request(spec), until: 'teach' as const, signal: stop.signal, observer: { offer } };
  await assert.rejects(runJourney(first, tools), stopped);
  assert.equal(offers[0]!.parts.length, 5);
  await runJourney({ ...request(spec), until: 'teach', parts: offers[0]! }, tools);
  assert.equal(await made(tools), 6);
  assert.deepEqual((await runJourney({ ...request(spec), until: 'teach' }, tools)).teach, expected);
});

test('learned weights leave out a teacher that is no good, and the report says what they were learned on', async () => {
  const bad = { file: 'wrong.onnx', labels: { '0': 1, '1': 2, '2': 3, '3': 0 } };
  const strategy = { teachers: [...teachers(['renamed.onnx']), bad], weights: 'learned' };
  const more = { teacherQuality: { override: true } };
  const tools = memoryTools();
  const all = { 'renamed.onnx': files['renamed.onnx']!, 'wrong.onnx': tinyTeacher() };
  const results = await runJourney(request(specOf(strategy, {}, more), all), tools);
  const report: Report = JSON.parse(await textOf('report.json', results, tools));
  const { teachers: judged, learned } = report.ensemble!;
  assert.ok(judged[2]!.weight < 0.01 && Number(judged[2]!.metrics.accuracy) < 0.1);
  assert.ok(learned!.value < learned!.before - 0.1);
  assert.ok(
    report.warnings.some((warning) => /learned on 32 labelled validation rows/.test(warning)),
    `${report.warnings}`,
  );
  assert.ok(report.warnings.some((warning) => /"wrong\.onnx": .*not better than chance/.test(warning)));
  const fixed = await runJourney(
    request(specOf({ ...strategy, weights: 'agreement' }, {}, more), all),
    tools,
  );
  const mean = fixed.teach.weights!.mean;
  assert.ok(mean[2]! < 0.25 && mean[0]! > 0.3, `${mean}`);
});

/** The tiny pictures of two of the four classes. */
async function twoClasses() {
  const [pictures, labels] = tinyPictures();
  const classes = (await labels!.read(0, labels!.size)).subarray(8);
  const kept = [...classes.keys()].filter((row) => classes[row]! < 2);
  const pixels = await pictures!.read(16, pictures!.size - 16);
  const rows = kept.map((row) => pixels.subarray(64 * row, 64 * (row + 1)));
  return [
    memorySource(
      'x_train.npy',
      encodeNpy([kept.length, 1, 8, 8], Uint8Array.from(rows.flatMap((row) => [...row]))),
    ),
    memorySource(
      'y_train.npy',
      encodeNpy(
        [kept.length],
        Uint8Array.from(kept, (row) => classes[row]!),
      ),
    ),
  ];
}

test('a teacher of classes that no row is of cannot be judged, and the warning says so', async () => {
  const pair = { file: 'pair.onnx', labels: { '2': 0, '3': 1 } };
  const asked = request(specOf({ teachers: [pair] }));
  const upload = { ...asked.upload, data: await twoClasses() };
  const { warnings } = await validateJob({ ...asked, upload }, memoryTools(), () => 1);
  assert.deepEqual(warnings, [
    'further teacher "pair.onnx": no labelled row of training or validation is of a class it knows (2, 3), so the quality of the teacher is unknown',
  ]);
});

test('why a teacher cannot be judged: classes, labels that may not be used, or none', () => {
  const splits = { train: Uint32Array.of(0, 1), validation: Uint32Array.of(2), test: Uint32Array.of(3) };
  const of = (labels: readonly number[], labelled: readonly number[], map?: readonly number[][]) =>
    unknownQuality(
      {
        splits,
        classes: ['cat', 'dog', 'cow'],
        labels: Int32Array.from(labels),
        labelled: Uint8Array.from(labelled),
      },
      map,
    ).replace(/, so the quality of the teacher is unknown$/, '');
  const cow = [[], [0], [1]];
  assert.match(of([0, 0, -1, 2], [1, 1, 0, 1], cow), /is of a class it knows \(dog, cow\)$/);
  const unusable = 'no row of training or validation has a label that may be used';
  assert.equal(of([-1, -1, -1, 2], [0, 0, 0, 1], cow), unusable);
  assert.equal(of([1, -1, -1, -1], [0, 0, 0, 0]), unusable);
  assert.equal(of([-1, -1, -1, -1], [0, 0, 0, 0], cow), 'no row has a label');
});

test('federated: the student learns from the mean logits of clients, weighted by their rows, and reads no label', async () => {
  const clients = [{ file: 'renamed.onnx', labels: { '3': 0, '1': 1, '0': 2, '2': 3 }, samples: 300 }];
  const train = { epochs: 16 };
  for (const method of ['feddf', 'fedmd']) {
    const strategy = { name: 'federated', clients, samples: 100, method };
    const tools = memoryTools();
    const few = { data: { labelled: { perClass: [0, 1] } } };
    const results = await runJourney(request(specOf(strategy, train, few)), tools);
    assert.equal(results.qualify.labelled, 4);
    const other = await runJourney(request(specOf(strategy, train)), tools);
    assert.ok(other.qualify.labelled > 200);
    assert.equal(other.export.student.model.hash, results.export.student.model.hash);
    const report: Report = JSON.parse(await textOf('report.json', results, tools));
    assert.deepEqual(results.teach.weights!.weights, [0.25, 0.75]);
    assert.ok(Number(report.models.student!.metrics.agreement) > 0.7, method);
  }
});

/** The weight that `auto` finds for logit-mse beside kl. */
async function found(spec: object, tools: Tools, teacher = tinyTeacher(), more = {}): Promise<number> {
  const asked = { ...tinyRequest(spec, teacher, more), until: 'match' as const };
  return (await runJourney(asked, tools)).match.terms![1]!.weight;
}

test('a weight that is set by the values before training is set by what the student learns from', async () => {
  const objective = { terms: [{ loss: 'kl' }, { loss: 'logit-mse', weight: 'auto' }] };
  const sure = tinyTeacher({ gain: 0.02 });
  const wrong = tinyTeacher({ wrong: true, gain: 0.001 });
  const more = { objective, teacherQuality: { override: true } };
  const alone = (teacher: Uint8Array) =>
    found(specOf({ name: 'single-stage' }, {}, more), memoryTools(), teacher);
  const [own, other] = [await alone(tinyTeacher()), await alone(sure)];
  assert.ok(other < 0.7 * own, `${other}, ${own}`);
  const near = (weight: number, wanted: number) =>
    assert.ok(Math.abs(weight / wanted - 1) < 0.02, `${weight}, not ${wanted}`);

  const heavy = { teachers: [{ file: 'sure.onnx', weight: 1000 }], combine: 'logits' };
  const right = { 'sure.onnx': sure };
  near(await found(specOf(heavy, {}, more), memoryTools(), tinyTeacher(), right), other);
  // The label, and learned weights, are on the side of the teacher that is right.
  const both = { teachers: [{ file: 'wrong.onnx' }], combine: 'logits' };
  const sent = { 'wrong.onnx': wrong };
  const tools = memoryTools();
  const learned = await found(specOf({ ...both, weights: 'learned' }, {}, more), tools, sure, sent);
  near(learned, other);
  assert.equal(await made(tools), 2, 'the validation rows of both are kept for the teach stage');
  const fixed = await found(specOf(both, {}, more), memoryTools(), sure, sent);
  const agreed = await found(specOf({ ...both, weights: 'agreement' }, {}, more), memoryTools(), sure, sent);
  assert.ok(fixed > 1.5 * agreed, `fixed ${fixed}, agreement ${agreed}`);
});

test('a teacher whose scores are not finite is refused by name before anything is trained', async () => {
  const nowhere = tinyTeacher({ gain: Number.POSITIVE_INFINITY });
  const spec = { teachers: [{ file: 'broken.onnx' }] };
  const asked = request(specOf(spec), { 'broken.onnx': nowhere });
  const named = (words: RegExp) => (error: RetortError) =>
    error.code === 'TEACHER_NOT_FINITE' && words.test(error.message) && error.hint !== undefined;
  const seen = /^further teacher "broken\.onnx": the teacher gives (\d+) of \1 rows scores that are infinite/;
  await assert.rejects(runJourney({ ...asked, until: 'qualify' }, memoryTools()), named(seen));
  const own = tinyRequest(tinySpec({ teacherQuality: { override: true } }), nowhere);
  await assert.rejects(runJourney(own, memoryTools()), named(/^the teacher gives (\d+) of \1 rows/));
  const rows = Uint32Array.of(7, 9, 5);
  // Nobody has judged it on rows without a label.
  assert.throws(
    () => refuseNotFinite(Float32Array.of(1, 2, Number.NaN, 3, 4, Number.NEGATIVE_INFINITY), rows),
    (error: RetortError) => /gives 2 of 3 rows/.test(error.message) && /: 9, 5$/.test(error.problems[0]!),
  );
  refuseNotFinite(Float32Array.of(3e38, 3e38, 3e38, 3e38, 0, 0), rows);
});

test('a dry run counts all teachers', async () => {
  const dry = async (spec: object) =>
    (await validateJob(request(spec), { ...memoryTools(), clock: steppingClock() }, () => 0)).estimate
      .seconds;
  const train = { augment: [{ name: 'translate' }], epochs: 500 };
  const one = await dry(specOf({ name: 'single-stage' }, train));
  const all = await dry(specOf({}, train));
  // On that clock a run takes as long whatever its rows: one of the job's own teacher, four of each of the others.
  assert.ok(Math.abs(all.teach / one.teach - (1 + 4 / 4)) < 0.05, `${one.teach} s, of five ${all.teach} s`);
});

test('what cannot be is refused by the name of the teacher it is about, before any is asked', async () => {
  const refused = async (entry: object, code: string, words: RegExp, sent?: Files, hint = /./) => {
    const spec = specOf({ teachers: [{ file: 'pair.onnx', ...entry }] });
    await assert.rejects(
      runJourney({ ...request(spec, sent), until: 'teach' }, memoryTools()),
      (error: RetortError) => error.code === code && words.test(error.message) && hint.test(error.hint ?? ''),
      `${words}`,
    );
  };
  await refused({ file: 'gone.onnx' }, 'SPEC_INVALID', /no file "gone\.onnx" came with the job/, files);
  await refused(
    { file: 'teacher.onnx' },
    'SPEC_INVALID',
    /no file "teacher\.onnx"/,
    files,
    /job's own teacher/,
  );
  const meant = /Did you mean "pair\.onnx"\? With the job came large\.onnx, /;
  await refused({ file: 'piar.onnx' }, 'SPEC_INVALID', /no file "piar\.onnx"/, files, meant);
  await refused({}, 'DATA_MISMATCH', /"pair\.onnx": it has 2 outputs, the job 4 classes/);
  await refused({ labels: { cat: 0, '1': 1 } }, 'DATA_MISMATCH', /"pair\.onnx": .*"cat", which is no class/);
  await refused({ labels: { '0': 0, '1': 7 } }, 'DATA_MISMATCH', /name output 7, it has 2/);
  await refused(
    { labels: { '0': 0, '1': 1 } },
    'TEACHER_QUALITY',
    /"pair\.onnx": the teacher's balanced accuracy/,
  );
  await refused({ inputs: { pixels: {} } }, 'SPEC_INVALID', /"pair\.onnx": \/inputs\/pixels/);
  const broken = { 'pair.onnx': new TextEncoder().encode('no model') };
  await refused({}, 'ONNX_MALFORMED', /"pair\.onnx"/, broken);
  assert.throws(
    () => request(specOf({ teachers: [{ file: 'a', labels: { x: 0, y: 0 } }] })),
    /output 0 of "a" to two classes/,
  );
  assert.throws(() => request(specOf({ teachers: [{ file: 'a' }, { file: 'a' }] })), /names "a" twice/);
  assert.throws(() => request(specOf({ teachers: undefined })), /teachers/);
  assert.throws(() => request(specOf({ teachers: [{ file: 'a', weigth: 2 }] })), /did you mean "weight"/);
  const unlabelled = specOf(
    { name: 'federated', clients: teachers(['fine.onnx']) },
    {},
    { objective: { alpha: 0.5 } },
  );
  assert.throws(() => request(unlabelled), /"federated" reads no labels, and "alpha" is 0\.5/);
});
