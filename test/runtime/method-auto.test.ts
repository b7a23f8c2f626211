import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeDataset } from '../../examples/shapes/write-dataset.ts';
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

const TRIED = ['kd', 'kd-standardized', 'dkd', 'wttm', 'control', 'kd, another seed'];

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

test('every candidate is tried on a quarter of the length; the choice is settled, trained and shown with its evidence', async () => {
  const tools = memoryTools();
  const kept: ResolvedSpec[] = [];
  const steps = new Map<string, number>();
  const observer = {
    progress: (stage: string, _done: number, total: number, note?: string) => {
      if (stage === 'choose') steps.set(note!, total / TRIED.length);
    },
  };
  const settled = async (spec: ResolvedSpec) => void kept.push(spec);
  const results = await runJourney({ ...tinyRequest(auto()), observer, settled }, tools);
  const choice = results.choose!;
  assert.deepEqual([...steps.keys()], TRIED);
  assert.ok([...steps.values()].every((each) => each === results.train.steps / 4));
  assert.deepEqual(
    choice.evidence.map(({ method }) => method),
    TRIED,
  );
  assert.equal(choice.evidence.filter(({ verdict }) => verdict === 'chosen').length, 1);
  assert.ok(choice.rows > 20 && choice.measure === 'accuracy' && choice.share === 0.25);

  const { resolved } = JSON.parse(await textOf('spec.json', results, tools)) as { resolved: ResolvedSpec };
  assert.deepEqual(kept.at(-1), resolved);
  assert.equal(resolved.method, undefined);
  assert.deepEqual(resolved.choice, choice);
  assert.deepEqual(resolved.phases[0]!.terms, choice.terms);
  const report = JSON.parse(await textOf('report.json', results, tools)) as Report;
  assert.deepEqual(report.choice, choice);
  assert.match(await textOf('model-card.md', results, tools), /\| tried \| accuracy \| against \| points \|/);

  // A later attempt starts from the settled spec: nothing is tried, and the evidence is still there.
  const again = await runJourney({ ...tinyRequest(auto()), spec: resolved }, memoryTools());
  assert.deepEqual(again.choose, choice);
  assert.equal(again.train.snapshot.hash, results.train.snapshot.hash);

  // The same objective written out makes the same student of the same work.
  const timings = (await runJourney(tinyRequest(writtenAs(choice.terms)), tools)).timings;
  assert.equal(timings.find(({ stage }) => stage === 'train')!.skipped, true);
});

const writtenAs = (terms: NonNullable<Results['choose']>['terms']): object => {
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
});

test('labels alone, once chosen, go on where they were stopped: no view of the teacher is in their key', async () => {
  const tools = memoryTools();
  const { train: recipe } = auto();
  const written = auto({ teacherQuality: { override: true }, train: { ...recipe, epochs: 8 } });
  const wrong = (): JourneyRequest => tinyRequest(written, tinyTeacher({ wrong: true }));
  let { spec } = wrong();
  const settled = async (found: ResolvedSpec): Promise<void> => {
    spec = found;
  };
  const { choose, train } = await runJourney({ ...wrong(), settled, until: 'train' }, tools);
  assert.equal(choose!.method, 'control');
  const later = await runJourney({ ...wrong(), spec, until: 'train' }, tools);
  assert.equal(later.timings.find(({ stage }) => stage === 'train')!.skipped, true);
  assert.deepEqual(later.train, train);
});

test('stopped in every candidate it goes on there, and ends with the same choice', async () => {
  const whole = await runJourney({ ...tinyRequest(auto()), until: 'choose' }, memoryTools());
  const tools = memoryTools();
  for (const method of TRIED) {
    const stop = new AbortController();
    const seen: string[] = [];
    const observer = {
      progress: (stage: string, _done: number, _total: number, note?: string) => {
        if (stage !== 'choose') return;
        seen.push(note!);
        if (note === method) stop.abort();
      },
    };
    await assert.rejects(
      runJourney({ ...tinyRequest(auto()), until: 'choose', observer, signal: stop.signal }, tools),
      (error: RetortError) => error instanceof RetortError && error.code === 'CANCELLED',
    );
    const before = TRIED[TRIED.indexOf(method) - 1];
    assert.ok(
      [...new Set(seen)].every((note) => note === method || note === before),
      'what is finished is not done again',
    );
  }
  const results = await runJourney({ ...tinyRequest(auto()), until: 'choose' }, tools);
  assert.deepEqual(results.choose, whole.choose);
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
    const { choose, qualify, control, train } = await runJourney(request, memoryTools());
    assert.equal(qualify.labelled, 0);
    assert.equal(control, null);
    assert.ok(train.steps > 0);
    assert.deepEqual(
      choose!.evidence.map(({ method }) => method),
      ['kd', 'kd-standardized', 'dkd-label-free', 'wttm', 'kd, another seed'],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a candidate that diverges is out, and the others decide', async () => {
  const tools = memoryTools();
  const { onnxruntime } = tools.kernels;
  let opened = 0;
  const kernels = {
    onnxruntime: {
      ...onnxruntime!,
      name: 'onnxruntime',
      declines: async () => undefined,
      async open(...given: Parameters<NonNullable<typeof onnxruntime>['open']>) {
        const trainer = await onnxruntime!.open(...given);
        if (opened++ !== 0) return trainer;
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
    },
  };
  const { choose } = await runJourney({ ...tinyRequest(auto()), until: 'choose' }, { ...tools, kernels });
  assert.equal(choose!.evidence[0]!.verdict, 'failed: the loss of step 0 is NaN');
  assert.notEqual(choose!.method, 'kd');
  assert.equal(choose!.seedSpread, null);
});

test('the estimate knows what choosing costs', async () => {
  const estimate = async (spec: object) =>
    (await validateJob(tinyRequest(spec), memoryTools(), () => 1)).estimate.seconds;
  const open = await estimate(auto());
  assert.ok(open.choose > 0 && open.total > open.choose + open.train);
  assert.equal((await estimate(tinySpec())).choose, 0);
});
