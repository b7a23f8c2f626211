import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import type { Program } from '../../src/core/program/program.ts';
import { decodeSnapshot } from '../../src/core/program/safetensors.ts';
import type { StageContext } from '../../src/pipeline/stage.ts';
import { type BatchSource, type TrainingRun, trainingRun } from '../../src/pipeline/training/training-run.ts';
import type { ResolvedTrain } from '../../src/spec/resolved-spec.ts';

/** When a run stops and what it hands on, with a kernel that only counts and validations that are given. */

const ROUND = 3;

const counting: TrainingKernel = {
  name: 'counting',
  declines: async () => undefined,
  async open(_, { snapshot }) {
    let step = snapshot?.step ?? 0;
    return {
      engine: 'counting 1.0',
      preferredSteps: 2,
      async run({ steps }) {
        step += steps;
        return { loss: new Float32Array(steps).fill(1), metrics: {} };
      },
      gradients: () => assert.fail('a run asks for no gradients'),
      snapshot: async () => ({ step, tensors: new Map([['w', tensor('float32', [], [step])]]) }),
      close: async () => {},
    };
  },
};

/** Runs as many rounds as there are scores at the most. */
async function runWith(
  scores: readonly (number | null)[],
  given: Partial<ResolvedTrain> = {},
  { batches, now = () => 0 }: { readonly batches?: BatchSource; readonly now?: () => number } = {},
) {
  const blobs = new MemoryBlobs();
  const context = {
    blobs,
    clock: { now: () => 0, precise: now },
    partial: { load: async () => undefined, save: async () => {} },
    signal: new AbortController().signal,
    progress: () => {},
    emit: async () => {},
  } as unknown as StageContext;
  const settings: ResolvedTrain = {
    kernel: 'onnxruntime',
    device: 'cpu',
    teacherDevice: 'cpu',
    threads: 1,
    length: { epochs: scores.length },
    batchSize: 1,
    optimizer: { name: 'sgd', options: {} },
    schedule: { name: 'constant', options: {} },
    augment: [],
    labelSmoothing: 0,
    select: 'best',
    ...given,
  };
  const total = ROUND * scores.length;
  const run: TrainingRun = {
    name: 'train',
    kernel: counting,
    program: { metrics: [] } as unknown as Program,
    settings,
    seed: 0,
    batches: batches ?? { stepsPerEpoch: ROUND, chunk: async () => ({}) },
    phase: {
      name: 'all',
      terms: [],
      steps: total,
      start: 0,
      schedule: { first: 0, steps: total },
      before: 0,
    },
    stepsBefore: 0,
    roundSteps: ROUND,
    validate: async ({ step }) => ({ score: scores[step / ROUND - 1]!, figures: {} }),
  };
  const trained = await trainingRun(run, context);
  const snapshot = decodeSnapshot(await blobs.get(trained.snapshot.hash));
  return { ...trained, held: snapshot.step };
}

test('the best round is handed on, the first of equals; or the last, where the spec says so', async () => {
  const scores = [0.2, 0.5, 0.4, 0.5];
  const best = await runWith(scores);
  assert.deepEqual([best.step, best.held, best.steps], [6, 6, 12]);
  const last = await runWith(scores, { select: 'last' });
  assert.deepEqual([last.step, last.held, last.steps], [12, 12, 12]);
});

test('without a validation figure the last round is handed on', async () => {
  const { step, held } = await runWith([null, null]);
  assert.deepEqual([step, held], [6, 6]);
});

test('training stops when so many rounds brought nothing better, and keeps the best', async () => {
  const scores = [0.2, 0.5, 0.4, 0.3, 0.9];
  const stopped = await runWith(scores, { earlyStopping: { patience: 2 } });
  assert.deepEqual([stopped.step, stopped.held, stopped.steps], [6, 6, 12]);
  const patient = await runWith(scores, { earlyStopping: { patience: 3 } });
  assert.deepEqual([patient.step, patient.steps], [15, 15]);
});

test('early stopping needs figures to go by', async () => {
  const { steps } = await runWith([null, null, null], { earlyStopping: { patience: 1 } });
  assert.equal(steps, 9);
});

test('the run says what computed it', async () => {
  assert.equal((await runWith([1])).engine, 'counting 1.0');
});

test('what is made ahead is the next chunk, also across the end of a round, and nothing behind the last', async () => {
  const asked: string[] = [];
  const batches: BatchSource = {
    stepsPerEpoch: ROUND,
    async chunk(first, steps) {
      asked.push(`take ${first}+${steps}`);
      return {};
    },
    ahead(first, steps) {
      asked.push(`make ${first}+${steps}`);
      return true;
    },
  };
  await runWith([0.1, 0.2], {}, { batches });
  const chunks = ['0+2', '2+1', '3+2', '5+1'];
  assert.deepEqual(
    asked,
    chunks.flatMap((chunk, i) => [`take ${chunk}`, ...(chunks[i + 1] ? [`make ${chunks[i + 1]}`] : [])]),
  );
});

test('a checkpoint ends a chunk, also one that is made ahead', async () => {
  const taken: string[] = [];
  const batches: BatchSource = {
    stepsPerEpoch: ROUND,
    async chunk(first, steps) {
      taken.push(`${first}+${steps}`);
      return {};
    },
    ahead: () => true,
  };
  await runWith([0.1, 0.2], { checkpointEvery: 4 }, { batches });
  assert.deepEqual(taken, ['0+2', '2+1', '3+1', '4+2']);
});

test('the time in which the kernel had no data is told apart from the time in which it ran', async () => {
  let now = 0;
  const batches: BatchSource = {
    stepsPerEpoch: ROUND,
    async chunk(_, steps) {
      now += 5 * steps;
      return {};
    },
  };
  const { times } = await runWith([0.1, 0.2], {}, { batches, now: () => now });
  assert.deepEqual(times, { waited: 30, ran: 0 });
});
