import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Phase } from '../../src/core/strategies/phase.ts';
import { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { StageContext, Tools } from '../../src/pipeline/stage.ts';
import { trainStudent } from '../../src/pipeline/training/train-student.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import { kernels } from '../support/kernels.ts';
import { steppingClock } from '../support/stepping-clock.ts';
import { memoryTools, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Strategies of several phases through the whole journey: what they make, and that a stop changes no bit of it. */

const artifact = async (name: string, { publish }: Results, { blobs }: Tools): Promise<Uint8Array> =>
  blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);
const textOf = async (name: string, results: Results, tools: Tools): Promise<string> =>
  new TextDecoder().decode(await artifact(name, results, tools));

/** Every way in which phases hang together: going on, taught by students, other students, scheduled scalars. */
const jobs: Readonly<Record<string, object>> = {
  annealing: { name: 'annealing', maxTemperature: 3 },
  continuation: { name: 'continuation', margin: 0.1 },
  mutual: { name: 'mutual', rounds: 1, peer: { hidden: [6] } },
  progressive: { name: 'progressive', assistants: [{ hidden: [16] }], share: 0.5 },
  self: { name: 'self', generations: 2 },
  'self-within': { name: 'self-within', alpha: 0.3 },
  'two-stage': { name: 'two-stage' },
};

const specOf = (strategy: object, kernel: string, more: object = {}) =>
  tinySpec({
    strategy,
    // One layer to teach, one that teaches.
    ...('alpha' in strategy ? { student: { architecture: 'mlp', hidden: [8, 6] } } : {}),
    train: {
      kernel,
      epochs: 4,
      batchSize: 64,
      optimizer: { name: 'adam', learningRate: 0.03 },
      augment: [{ name: 'translate' }],
      ema: { decay: 0.5 },
      // Cuts rounds of 4 steps into chunks.
      checkpointEvery: 3,
      ...more,
    },
    controls: false,
  });

class Killed extends Error {}

/**
 * Runs a job that is stopped at the first sign of progress in training, or killed at the second, before it has saved what
 * came since the last checkpoint; again and again, until it is through.
 */
async function interrupted(how: 'stop' | 'kill', spec: object, tools: Tools) {
  const phases = new Set<string>();
  for (let stops = 0; ; stops++) {
    assert.ok(stops < 100, 'the job does not get on');
    const stop = new AbortController();
    let seen = 0;
    const observer = {
      progress: (stage: string, _done: number, _total: number, note?: string) => {
        if (stage !== 'train') return;
        seen++;
        if (how === 'kill' && seen < 2) return;
        phases.add(note ?? 'all');
        if (how === 'kill') throw new Killed();
        stop.abort();
      },
    };
    try {
      return {
        results: await runJourney({ ...tinyRequest(spec), signal: stop.signal, observer }, tools),
        phases,
      };
    } catch (error) {
      const isStop = error instanceof RetortError && error.code === 'CANCELLED';
      if (!isStop && !(error instanceof Killed)) throw error;
    }
  }
}

for (const kernel of kernels) {
  for (const [name, strategy] of Object.entries(jobs)) {
    test(`${kernel.name}, ${name}: stopped or killed in every phase it makes the same student, bit for bit`, async () => {
      const spec = specOf(strategy, kernel.name);
      const whole = memoryTools();
      const expected = await runJourney(tinyRequest(spec), whole);
      const names = expected.train.phases.map((phase) => phase.name);
      for (const how of ['stop', 'kill'] as const) {
        const tools = memoryTools();
        const { results, phases } = await interrupted(how, spec, tools);
        assert.deepEqual([...phases], names, `${how} in every phase`);
        for (const file of ['student.onnx', 'metrics.jsonl']) {
          const [made, wanted] = [
            await artifact(file, results, tools),
            await artifact(file, expected, whole),
          ];
          assert.deepEqual(made, wanted, `${how}: ${file}`);
        }
      }
      const report: Report = JSON.parse(await textOf('report.json', expected, whole));
      assert.ok(Number(report.models.student!.metrics.agreement) > 0.5);
      assert.deepEqual(
        report.training.student!.phases.map((phase) => phase.name),
        names,
      );
    });
  }
}

for (const kernel of kernels) {
  test(`${kernel.name}: phases that continue one another are one phase, bit for bit`, async () => {
    const spec = {
      ...specOf({ name: 'single-stage' }, kernel.name),
      // Noise of its own at every step.
      student: { architecture: 'mlp', hidden: [8], dropout: 0.2 },
    };
    const request = tinyRequest(spec);
    const tools = memoryTools();
    const done = await runJourney({ ...request, until: 'calibrate' }, tools);
    const [whole] = request.spec.phases;
    const trained = async (phases: readonly Phase[]) => {
      const context = {
        ...tools,
        ...request,
        signal: new AbortController().signal,
        partial: { load: async () => undefined, save: async () => {} },
        progress: () => {},
        emit: async () => {},
      } as unknown as StageContext;
      const run = { name: 'train', isControl: false, seed: 3, phases } as const;
      return trainStudent(run, done as Results, context);
    };
    const part = { ...whole!, select: 'last', share: 0.25 } as const;
    const one = await trained([{ ...part, share: 1 }]);
    const continued = [
      { ...part, name: 'a' },
      { ...part, name: 'b', share: 0.5, from: 'a', continues: true as const },
      { ...part, name: 'c', from: 'b', continues: true as const },
    ];
    const three = await trained(continued);
    assert.deepEqual(
      three.phases.map(({ steps }) => steps),
      [4, 8, 4],
    );
    assert.equal(three.snapshot.hash, one.snapshot.hash);
    const anew = await trained(continued.map(({ continues: _, ...phase }: Phase) => phase));
    assert.notEqual(anew.snapshot.hash, one.snapshot.hash);
  });
}

test('the log counts on from phase to phase and names each; progress covers all of them', async () => {
  const tools = memoryTools();
  const seen: [number, number][] = [];
  const observer = {
    progress: (stage: string, done: number, total: number) =>
      void (stage === 'train' && seen.push([done, total])),
  };
  const spec = specOf({ name: 'self', generations: 2 }, 'onnxruntime', { augment: [] });
  const results = await runJourney({ ...tinyRequest(spec), observer }, tools);
  const { steps, step, phases } = results.train;
  assert.deepEqual(
    phases.map((phase) => phase.steps),
    [16, 16],
  );
  assert.equal(steps, 32);
  assert.equal(step, 16 + phases[1]!.step);
  assert.deepEqual([...new Set(seen.map(([, total]) => total))], [32]);
  assert.equal(seen.at(-1)![0], 32);
  const done = seen.map(([each]) => each);
  assert.deepEqual(
    done,
    [...done].sort((a, b) => a - b),
  );
  const lines = (await textOf('metrics.jsonl', results, tools))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { phase: string; step: number; loss?: number; learningRate?: number });
  const losses = lines.filter((line) => line.loss !== undefined);
  assert.deepEqual(
    losses.map((line) => line.step),
    Array.from({ length: 32 }, (_, i) => i + 1),
  );
  assert.deepEqual([...new Set(losses.slice(0, 16).map((line) => line.phase))], ['generation-1']);
  assert.deepEqual([...new Set(losses.slice(16).map((line) => line.phase))], ['generation-2']);
  // Each phase has a schedule of its own.
  assert.equal(losses[0]!.learningRate, losses[16]!.learningRate);
});

test('the report says what the strategy cost beside the control, and the model card names every phase', async () => {
  const tools = memoryTools();
  const spec = { ...specOf(jobs.progressive!, 'onnxruntime', { augment: [] }), controls: true };
  const results = await runJourney(tinyRequest(spec), tools);
  const report: Report = JSON.parse(await textOf('report.json', results, tools));
  assert.ok(
    report.warnings.includes('the 2 phases of the strategy made 24 steps together; the control made 16'),
    `${report.warnings}`,
  );
  assert.deepEqual(report.training.control!.phases.length, 1);
  const { accuracy } = report.training.teacher.validation;
  assert.ok(accuracy! > 0.5, `the teacher on validation: ${accuracy}`);
  const card = await textOf('model-card.md', results, tools);
  assert.match(
    card,
    /- Strategy: progressive\n {2}- assistant-1: 8 steps, .*\[16\].*, midway to the student [\d.]+ %\n {2}- student: 16 steps, .*taught by 1 x assistant-1/,
  );
  const { resolved } = JSON.parse(await textOf('spec.json', results, tools));
  assert.deepEqual(
    resolved.phases.map((phase: { name: string }) => phase.name),
    ['assistant-1', 'student'],
  );
});

test('where a term reads no softmax, a peer and the teacher are mixed by their logits: the loss goes on from turn to turn', async () => {
  const tools = memoryTools();
  const spec = {
    ...specOf({ name: 'mutual', rounds: 1 }, 'onnxruntime', { epochs: 8, augment: [], ema: undefined }),
    objective: { terms: [{ loss: 'sigmoid-kd' }] },
  };
  const results = await runJourney(tinyRequest(JSON.parse(JSON.stringify(spec))), tools);
  const lines = (await textOf('metrics.jsonl', results, tools)).trim().split('\n');
  const all = lines.map((line) => JSON.parse(line) as { phase: string; loss?: number });
  const lossesOf = (name: string) =>
    all.flatMap(({ phase, loss }) => (phase === name && loss !== undefined ? [loss] : []));
  const [before, after] = [lossesOf('student-0').at(-1)!, lossesOf('student-1')[0]!];
  assert.ok(
    after < 2 * before,
    `${before} at the end of the first turn, ${after} at the start of the second`,
  );
});

test('a dry run counts all phases', async () => {
  const seconds = async (strategy: object) => {
    const spec = specOf(strategy, 'onnxruntime', { steps: 20_000, epochs: undefined, augment: [] });
    const tools = { ...memoryTools(), clock: steppingClock() };
    const request = tinyRequest(JSON.parse(JSON.stringify(spec)));
    return (await validateJob(request, tools, () => 0)).estimate.seconds.train;
  };
  const [one, three] = [
    await seconds({ name: 'single-stage' }),
    await seconds({ name: 'self', generations: 3 }),
  ];
  assert.ok(three > 2.5 * one && three < 3.5 * one, `${one} s, in three generations ${three} s`);
});
