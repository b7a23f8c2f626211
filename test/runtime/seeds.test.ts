import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { seedWarnings } from '../../src/pipeline/student/seed-warnings.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** One job with several seeds: what is told of them, what they share, and that nothing finished is done twice. */

const spec = (more: object = {}) =>
  tinySpec({
    train: {
      kernel: 'onnxruntime',
      epochs: 2,
      batchSize: 32,
      optimizer: { name: 'adam', learningRate: 0.02 },
      augment: [{ name: 'translate' }],
    },
    ...more,
  });

async function run(written: object, tools: Tools, companions: Readonly<Record<string, Uint8Array>> = {}) {
  const notes: string[] = [];
  const trained = new Map<string, number>();
  const observer = {
    progress: (stage: string, _done: number, _total: number, note?: string) => {
      if (stage === 'train' && note) notes.push(note);
      trained.set(stage, (trained.get(stage) ?? 0) + 1);
    },
  };
  const request = tinyRequest(written, tinyTeacher(), companions);
  const results = await runJourney({ ...request, observer }, tools);
  const artifact = results.publish.artifacts.find(({ name }) => name === 'report.json')!;
  const report = JSON.parse(new TextDecoder().decode(await tools.blobs.get(artifact.hash))) as Report;
  return { results, report, notes, trained };
}

/** With this seed of the job the second of two students is far better on validation. */
const SECOND_WINS = 2;

test('three seeds give three students and controls, an interval each, and the best on validation is delivered', async () => {
  const tools = memoryTools();
  const { results, report, notes } = await run(spec({ seeds: 3 }), tools);
  const { seeds } = report;
  assert.equal(seeds!.runs.length, 3);
  assert.deepEqual(new Set(notes), new Set(['seed 1 of 3', 'seed 2 of 3', 'seed 3 of 3']));
  const { runs, chosen } = results.train.repeated!;
  assert.equal(new Set(runs.map(({ snapshot }) => snapshot.hash)).size, 3);
  assert.equal(new Set(results.control!.repeated!.runs.map(({ snapshot }) => snapshot.hash)).size, 3);
  const best = Math.max(...runs.map(({ validation }) => validation.accuracy!));
  assert.equal(runs[chosen]!.validation.accuracy, best);
  assert.equal(seeds!.delivered, chosen);
  assert.deepEqual(seeds!.runs[chosen]!.student, report.models.student!.metrics);
  assert.deepEqual(seeds!.runs[chosen]!.control, report.models.control!.metrics);
  const { student, control, difference } = seeds!.intervals.accuracy!;
  assert.ok(Math.abs(difference!.mean - (student.mean - control!.mean)) < 1e-12);
  assert.ok(student.low! <= student.mean && student.mean <= student.high!);
  const logs = results.publish.artifacts.find(({ name }) => name === 'control-metrics.jsonl')!;
  assert.equal(logs.hash, results.control!.repeated!.runs[chosen]!.log.hash);
  const card = results.publish.artifacts.find(({ name }) => name === 'model-card.md')!;
  const text = new TextDecoder().decode(await tools.blobs.get(card.hash));
  assert.match(text, /- accuracy over 3 seeds, mean \[95 % interval\]: student .*, control .*, difference/);
});

test('an uploaded student begins with its own weights every time: dry run and report warn of it, with auto too', async () => {
  const companions = { 'mine.onnx': tinyTeacher({ gain: 0.0001 }) };
  const student = { model: 'mine.onnx' };
  const train = { kernel: 'onnxruntime', epochs: 3, batchSize: 288 };
  const warningsOf = async (more: object) =>
    (
      await validateJob(
        tinyRequest(spec({ train, ...more }), tinyTeacher(), companions),
        memoryTools(),
        () => 1,
      )
    ).warnings;
  const ofSeeds =
    /^"mine\.onnx" begins with its own weights .* the intervals of 3 seeds hold what the order of rows makes/;
  const ofNoise = /^"mine\.onnx" begins .* the noise of seeds by which "auto" chooses holds only/;
  const [seeds, ...others] = await warningsOf({ student, seeds: 3 });
  assert.match(seeds!, ofSeeds);
  assert.deepEqual(others, []);
  const both = await warningsOf({ student, seeds: 3, method: 'auto' });
  assert.ok(both.length === 2 && ofSeeds.test(both[0]!) && ofNoise.test(both[1]!));
  assert.deepEqual(await warningsOf({ student }), []);
  assert.deepEqual(seedWarnings(tinyRequest(spec({ seeds: 3 })).spec), [], 'ours are drawn anew');

  // A batch of all rows: not even their order is left.
  const { report } = await run(spec({ train, student, seeds: 3 }), memoryTools(), companions);
  assert.ok(report.warnings.some((warning) => ofSeeds.test(warning)));
  const { low, high } = report.seeds!.intervals.accuracy!.student;
  assert.equal(low, high);
  // What was chosen is settled when the report is written.
  const chosen = { method: 'auto', train: { ...train, epochs: 1 }, controls: false };
  const auto = await run(spec({ student, ...chosen }), memoryTools(), companions);
  assert.ok(auto.report.warnings.some((warning) => ofNoise.test(warning)));
});

test('the first seed is the job with one seed; more seeds cost only what is new, and the teacher is asked once', async () => {
  const tools = memoryTools();
  const alone = await run(spec(), tools);
  assert.equal(alone.report.seeds, undefined);
  const two = await run(spec({ seeds: 2 }), tools);
  assert.deepEqual([...new Set(two.notes)], ['seed 2 of 2'], 'the first was there');
  assert.equal(two.results.train.repeated!.runs[0]!.snapshot.hash, alone.results.train.snapshot.hash);
  assert.equal(two.trained.get('teach'), undefined, 'the pixels are the same');
  const three = await run(spec({ seeds: 3 }), tools);
  assert.deepEqual([...new Set(three.notes)], ['seed 3 of 3']);
  assert.deepEqual(three.results.train.repeated!.runs.slice(0, 2), two.results.train.repeated!.runs);
});

test('the report and the card tell the seed of the student that is delivered', async () => {
  const tools = memoryTools();
  const { results, report } = await run(spec({ seeds: 2, seed: SECOND_WINS, controls: false }), tools);
  const { seeds, ran } = report;
  assert.equal(seeds!.delivered, 1);
  assert.notEqual(ran.seed, SECOND_WINS);
  assert.equal(ran.seed, seeds!.runs[1]!.seed);
  const card = results.publish.artifacts.find(({ name }) => name === 'model-card.md')!;
  assert.match(new TextDecoder().decode(await tools.blobs.get(card.hash)), new RegExp(`seed ${ran.seed}\n`));
});

test('stopped in every seed the job goes on there and ends with the same bits', async () => {
  const written = spec({ seeds: 2, controls: false });
  const { results: whole } = await run(written, memoryTools());
  const tools = memoryTools();
  for (const note of ['seed 1 of 2', 'seed 2 of 2']) {
    const stop = new AbortController();
    const observer = {
      progress: (stage: string, _done: number, _total: number, at?: string) => {
        if (stage === 'train' && at === note) stop.abort();
      },
    };
    await assert.rejects(
      runJourney({ ...tinyRequest(written), signal: stop.signal, observer }, tools),
      (error: RetortError) => error instanceof RetortError && error.code === 'CANCELLED',
    );
  }
  const { results, notes } = await run(written, tools);
  assert.deepEqual([...new Set(notes)], ['seed 2 of 2']);
  assert.deepEqual(untimed(results.train), untimed(whole.train));
});

/** How long steps took is never the same. */
const untimed = (trained: unknown): unknown =>
  JSON.parse(JSON.stringify(trained, (key, value) => (key === 'times' ? undefined : value)));

test('the estimate knows of the seeds', async () => {
  const estimate = async (seeds: number) => {
    // Every look at the clock is a tenth of a second later, so that all that is measured takes the same both times.
    let time = 0;
    const tools = { ...memoryTools(), clock: { now: () => time, precise: () => (time += 100) } };
    return (await validateJob(tinyRequest(spec({ seeds })), tools, () => 1)).estimate.seconds;
  };
  const [once, often] = [await estimate(1), await estimate(20)];
  assert.ok(Math.abs(often.train / once.train - 20) < 1e-9, `${once.train}, ${often.train}`);
  assert.ok(Math.abs(often.control / once.control - 20) < 1e-9, `${once.control}, ${often.control}`);
});
