import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeDataset } from '../../examples/shapes/write-dataset.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { type JourneyRequest, runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import type { ResolvedSpec } from '../../src/spec/resolved-spec.ts';
import { memorySource } from '../support/data-files.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

const shapes = fileURLToPath(new URL('../../examples/shapes/', import.meta.url));

/** Lines of the evidence: what is tried on a quarter of the length. */
const SHORT = ['kd 0.25', 'kd-standardized 0.25', 'control 0.25', 'kd, another seed 0.25'];

const linesOf = ({ evidence }: NonNullable<Results['choose']>): readonly string[] =>
  evidence.map(({ method, share }) => `${method} ${share}`);

/** As the progress of the stage names them. */
const notesOf = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.replace(' 0.25', ', short').replace(/ 1$/, ''));

const timingOf = ({ timings }: Results, name: string) => timings.find(({ stage }) => stage === name)!;

const auto = (more: object = {}) =>
  tinySpec({
    method: 'auto',
    train: {
      kernel: 'onnxruntime',
      epochs: 4,
      batchSize: 32,
      optimizer: { name: 'adam', learningRate: 0.02 },
      augment: [{ name: 'translate' }],
    },
    ...more,
  });

const textOf = async (name: string, { publish }: Results, { blobs }: Tools): Promise<string> => {
  const { hash } = publish.artifacts.find((each) => each.name === name)!;
  return new TextDecoder().decode(await blobs.get(hash));
};

test('a short round says who goes on, one of full length who wins; the choice is settled, trained and shown', async () => {
  const tools = memoryTools();
  const kept: ResolvedSpec[] = [];
  const told: { readonly done: number; readonly total: number; readonly note: string }[] = [];
  const observer = {
    progress: (stage: string, done: number, total: number, note?: string) => {
      if (stage === 'choose') told.push({ done, total, note: note! });
    },
  };
  const settled = async (spec: ResolvedSpec) => void kept.push(spec);
  const results = await runJourney({ ...tinyRequest(auto()), observer, settled }, tools);
  const choice = results.choose!;
  const { method: safe } = choice.evidence.find(({ verdict }) => verdict === 'goes on')!;
  assert.match(safe, /^kd(-standardized)?$/);
  assert.deepEqual(linesOf(choice), [...SHORT, `${safe} 1`, 'dkd 1', 'wttm 1']);
  assert.equal(choice.evidence.filter(({ verdict }) => verdict === 'chosen').length, 1);
  assert.equal(choice.evidence.find(({ verdict }) => verdict === 'chosen')!.share, 1);
  assert.ok(choice.rows > 20 && choice.measure === 'accuracy' && choice.share === 0.25);

  // Four short trainings are one of the length, three more are whole; progress says so, and only rises.
  assert.deepEqual([...new Set(told.map(({ note }) => note))], notesOf(linesOf(choice)));
  assert.ok(told.every(({ total }) => total === 4));
  assert.ok(told.every(({ done }, i) => i === 0 || done > told[i - 1]!.done));
  assert.equal(told.findLast(({ note }) => note.endsWith('short'))!.done, 1);
  assert.equal(told.at(-1)!.done, 4);

  const { resolved } = JSON.parse(await textOf('spec.json', results, tools)) as { resolved: ResolvedSpec };
  assert.deepEqual(kept.at(-1), resolved);
  assert.equal(resolved.method, undefined);
  assert.deepEqual(resolved.choice, choice);
  assert.deepEqual(resolved.phases[0]!.terms, choice.terms);
  const report = JSON.parse(await textOf('report.json', results, tools)) as Report;
  assert.deepEqual(report.choice, choice);
  const card = await textOf('model-card.md', results, tools);
  assert.match(card, /\| tried \| length \| accuracy \| against \| points \|/);
  assert.match(card, /\| control \| 25 % \| [\s\S]*\| wttm \| 100 % \| /);

  // The winner's training is the job's own.
  assert.equal(timingOf(results, 'train').skipped, true);

  // A later attempt starts from the settled spec: nothing is tried, and the evidence is still there.
  const again = await runJourney({ ...tinyRequest(auto()), spec: resolved }, memoryTools());
  assert.deepEqual(again.choose, choice);
  assert.equal(again.train.snapshot.hash, results.train.snapshot.hash);

  // The same objective written out makes the same student, of the same work where there is any.
  const written = tinyRequest(writtenAs(choice.terms));
  assert.equal(timingOf(await runJourney(written, tools), 'train').skipped, true);
  const alone = await runJourney(tinyRequest(writtenAs(choice.terms)), memoryTools());
  assert.equal(timingOf(alone, 'train').skipped, false);
  assert.equal(alone.train.snapshot.hash, results.train.snapshot.hash);
});

test('of several seeds the first is the training that has won', async () => {
  const notes = new Set<string>();
  const observer = {
    progress: (stage: string, _done: number, _total: number, note?: string) => {
      if (stage === 'train') notes.add(note!);
    },
  };
  const request = { ...tinyRequest(auto({ seeds: 2 })), observer, until: 'train' } as const;
  const { train } = await runJourney(request, memoryTools());
  assert.deepEqual([...notes], ['seed 2 of 2']);
  assert.equal(train.repeated!.runs.length, 2);
});

test('the trials of full length have the recipe of the job, which may stop early', async () => {
  const { train } = auto() as { train: object };
  const recipe = { ...train, epochs: 12, earlyStopping: { patience: 1 } };
  const told: number[] = [];
  const observer = {
    progress: (stage: string, done: number, total: number) =>
      void (stage === 'choose' && told.push(done / total)),
  };
  const request = { ...tinyRequest(auto({ train: recipe })), observer, until: 'train' } as const;
  const results = await runJourney(request, memoryTools());
  assert.equal(timingOf(results, 'train').skipped, true);
  assert.equal(told.at(-1), 1);
  assert.ok(told.every((share, i) => i === 0 || share > told[i - 1]!));
  const { train: alone } = await runJourney(
    { ...tinyRequest({ ...writtenAs(results.choose!.terms), train: recipe }), until: 'train' },
    memoryTools(),
  );
  assert.ok(alone.steps < 12 * (320 / 32), 'it stops early');
  assert.equal(results.train.snapshot.hash, alone.snapshot.hash);
  assert.equal(results.train.steps, alone.steps);
});

const writtenAs = (terms: ResolvedSpec['objective']['terms']): object => {
  const { method: _method, ...spec } = auto() as Record<string, unknown>;
  return { ...spec, objective: { terms: terms.map(({ options, ...term }) => ({ ...term, ...options })) } };
};

test('what is said of the length of the trials is how long they were: at least an epoch', async () => {
  const { train } = auto() as { train: object };
  const results = await runJourney(
    { ...tinyRequest(auto({ train: { ...train, epochs: 2 } })), until: 'choose' },
    memoryTools(),
  );
  assert.equal(results.choose!.share, 0.5);
  assert.deepEqual([...new Set(results.choose!.evidence.map(({ share }) => share))], [0.5, 1]);
});

test('a control that wins the short round is tried on the full length; once chosen no view of the teacher is in its key', async () => {
  const tools = memoryTools();
  const { train: recipe } = auto();
  const written = auto({ teacherQuality: { override: true }, train: { ...recipe, epochs: 8 } });
  const wrong = (): JourneyRequest => tinyRequest(written, tinyTeacher({ wrong: true }));
  let { spec } = wrong();
  const settled = async (found: ResolvedSpec): Promise<void> => {
    spec = found;
  };
  const results = await runJourney({ ...wrong(), settled, until: 'train' }, tools);
  const { choose, train } = results;
  assert.equal(choose!.method, 'control');
  assert.ok(linesOf(choose!).includes('control 1'));
  assert.equal(timingOf(results, 'train').skipped, true);
  const later = await runJourney({ ...wrong(), spec, until: 'train' }, tools);
  assert.equal(timingOf(later, 'train').skipped, true);
  assert.deepEqual(later.train, train);
});

test('stopped in every trial of both rounds it goes on there, and ends with the same choice', async () => {
  const whole = await runJourney({ ...tinyRequest(auto()), until: 'choose' }, memoryTools());
  const notes = notesOf(linesOf(whole.choose!));
  assert.equal(notes.length, 7);
  const tools = memoryTools();
  const reached = new Map<string, number>();
  for (const trial of notes) {
    const stop = new AbortController();
    const seen: string[] = [];
    const observer = {
      progress: (stage: string, done: number, _total: number, note?: string) => {
        if (stage !== 'choose') return;
        seen.push(note!);
        assert.ok(done > (reached.get(note!) ?? 0), 'no step is made again');
        reached.set(note!, done);
        if (note === trial) stop.abort();
      },
    };
    await assert.rejects(
      runJourney({ ...tinyRequest(auto()), until: 'choose', observer, signal: stop.signal }, tools),
      (error: RetortError) => error instanceof RetortError && error.code === 'CANCELLED',
    );
    const before = notes[notes.indexOf(trial) - 1];
    assert.ok(
      [...new Set(seen)].every((note) => note === trial || note === before),
      'what is finished is not done again',
    );
  }
  const results = await runJourney({ ...tinyRequest(auto()), until: 'train' }, tools);
  assert.deepEqual(results.choose, whole.choose);
  assert.equal(timingOf(results, 'train').skipped, true);
});

test('where no training row has a label, only the teacher is learned from', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'retort-auto-'));
  try {
    const path = join(folder, 'pictures.zip');
    await writeDataset(path, { seed: 1, train: 0, validation: 3, test: 2, unlabelled: 3 });
    const given = JSON.parse(await readFile(`${shapes}spec.json`, 'utf8'));
    const { objective: _objective, ...spec } = given;
    const request = {
      ...tinyRequest({
        ...spec,
        method: 'auto',
        student: { architecture: 'conv-net', widths: [4] },
        train: { ...spec.train, kernel: 'onnxruntime', epochs: 1, batchSize: 8 },
      }),
      upload: {
        teacher: memorySource('teacher.onnx', await readFile(`${shapes}teacher.onnx`)),
        companions: [],
        data: [memorySource('pictures.zip', await readFile(path))],
      },
    };
    const results = await runJourney(request, memoryTools());
    const { choose, qualify, control, train } = results;
    assert.equal(qualify.labelled, 0);
    assert.equal(control, null);
    assert.ok(train.steps > 0);
    // One epoch cannot be made shorter.
    const { method: safe } = choose!.evidence.find(({ verdict }) => verdict === 'goes on')!;
    assert.deepEqual(linesOf(choose!), [
      'kd 1',
      'kd-standardized 1',
      'kd, another seed 1',
      `${safe} 1`,
      'dkd-label-free 1',
      'wttm 1',
    ]);
    // The validation rows have labels.
    assert.equal(choose!.measure, 'accuracy');
    assert.equal(timingOf(results, 'train').skipped, true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Tools whose kernel diverges in the trainings of these places. */
function divergingIn(places: readonly number[]): Tools {
  const tools = memoryTools();
  const onnxruntime = tools.kernels.onnxruntime!;
  let opened = 0;
  const kernel: TrainingKernel = {
    ...onnxruntime,
    name: 'onnxruntime',
    declines: async () => undefined,
    async open(...given) {
      const trainer = await onnxruntime.open(...given);
      if (!places.includes(opened++)) return trainer;
      const run = async () => {
        throw new RetortError('TRAIN_DIVERGED', 'the loss of step 0 is NaN');
      };
      return {
        engine: trainer.engine,
        preferredSteps: trainer.preferredSteps,
        run,
        gradients: run,
        snapshot: () => trainer.snapshot(),
        close: () => trainer.close(),
      };
    },
  };
  return { ...tools, kernels: { onnxruntime: kernel } };
}

const chosenWhere = async (tools: Tools) =>
  (await runJourney({ ...tinyRequest(auto()), until: 'choose' }, tools)).choose!;

test('a candidate that diverges is out, and the others decide', async () => {
  const first = await chosenWhere(divergingIn([0]));
  assert.equal(first.evidence[0]!.verdict, 'failed: the loss of step 0 is NaN');
  assert.equal(first.seedSpread, null);
  assert.equal(first.method, 'kd-standardized', 'nothing is promoted while it is unknown what seeds make');
  assert.match(first.reason, /^kd-standardized: what a seed makes is unknown/);
  assert.deepEqual(linesOf(first).slice(0, 7), [...SHORT, 'kd-standardized 1', 'dkd 1', 'wttm 1']);

  // On the full length the safe one is the fifth.
  const later = await chosenWhere(divergingIn([4]));
  assert.equal(later.evidence[4]!.verdict, 'failed: the loss of step 0 is NaN');
  assert.match(later.method, /^(dkd|wttm)$/);
});

test('where both of the safe ones diverge on the short schedule the fancier ones and the control are left', async () => {
  const choice = await chosenWhere(divergingIn([0, 1]));
  assert.deepEqual(linesOf(choice), [...SHORT, 'dkd 1', 'wttm 1', 'control 1']);
  assert.match(choice.method, /^(dkd|wttm|control)$/);
});

test('where everything diverges the job does, and every trial is told', async () => {
  await assert.rejects(chosenWhere(divergingIn([0, 1, 2, 3, 4, 5])), (error: RetortError) => {
    assert.ok(error instanceof RetortError);
    assert.equal(error.code, 'TRAIN_DIVERGED');
    assert.equal(error.problems.length, 6);
    return true;
  });
});

test('the estimate counts both rounds, and the training that wins once', async () => {
  /** A second a look: paces are the same at every call. */
  const steady = (): Tools => {
    let now = 0;
    return { ...memoryTools(), clock: { now: () => 0, precise: () => (now += 1000) } };
  };
  const estimate = async (spec: object) =>
    (await validateJob(tinyRequest(spec), steady(), () => 1)).estimate.seconds;
  const terms = [{ loss: 'kl', temperature: 4, weight: 0.9, options: {} }];
  const written = await estimate(writtenAs(terms));
  assert.equal(written.choose, 0);
  const open = await estimate(auto());
  // Four of a quarter, each of which opens the kernel, and three whole ones.
  assert.ok(open.choose > 4 * written.train && open.choose < 6 * written.train);
  assert.equal(open.train, 0);
  assert.ok(open.total >= open.choose + open.control);
  const repeated = await estimate(auto({ seeds: 3 }));
  assert.equal(repeated.choose, open.choose);
  assert.equal(repeated.train, 2 * written.train);
});
