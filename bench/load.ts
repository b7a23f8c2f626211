import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileSource } from '../src/adapters/files/file-source.ts';
import { localFacilities, localTools } from '../src/adapters/local-tools.ts';
import { fsStores } from '../src/adapters/storage/fs-stores.ts';
import type { TrainingKernel } from '../src/core/program/kernel.ts';
import { runJourney } from '../src/pipeline/run.ts';
import type { StageContext } from '../src/pipeline/stage.ts';
import { BatchesBeside } from '../src/pipeline/training/batches-beside.ts';
import { phasesOf, randomLogits } from '../src/pipeline/training/drawn-plan.ts';
import { openRows } from '../src/pipeline/training/open-rows.ts';
import { planTraining } from '../src/pipeline/training/plan-training.ts';
import { distilledRun } from '../src/pipeline/training/student-run.ts';
import type { StepTimes } from '../src/pipeline/training/train-chunk.ts';
import { studentOf } from '../src/pipeline/training/train-student.ts';
import { trainingRun } from '../src/pipeline/training/training-run.ts';
import { parseSpec } from '../src/spec/parse-spec.ts';
import { resolveSpec } from '../src/spec/resolve-spec.ts';
import { percent, RUNS, type Run, specOf } from './real.ts';

interface Settings {
  readonly fixtures: string;
  readonly kernels: readonly string[];
  readonly steps: number;
  readonly rounds: number;
}

/**
 * How long the kernel has no data in the steps of real jobs, with batches made between the steps and in a thread, in turns;
 * one JSON line per job and kernel. What the teacher says is drawn at random: looking it up costs the same. `5ms` and the
 * like are no kernels: they hold the thread for so long per step, as a device would on which the student is that fast.
 */
export async function load(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fixtures: { type: 'string' },
      only: { type: 'string', default: 'mnist-1k,cifar10-5k' },
      kernels: { type: 'string', default: 'onnxruntime,tfjs,5ms,1ms' },
      steps: { type: 'string', default: '400' },
      rounds: { type: 'string', default: '3' },
    },
  });
  if (!values.fixtures)
    throw new Error('bench load needs --fixtures DIR (the folder with teachers/ and data/)');
  const settings: Settings = {
    fixtures: values.fixtures,
    kernels: values.kernels.split(','),
    steps: Number(values.steps),
    rounds: Number(values.rounds),
  };
  const names = values.only.split(',');
  for (const run of RUNS.filter(({ name }) => names.includes(name))) await measure(run, settings);
}

async function measure(run: Run, { fixtures, kernels, steps, rounds }: Settings): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'retort-bench-'));
  const files = run.data.map((file) => fileSource(join(fixtures, 'data', file)));
  const teacher = fileSource(join(fixtures, 'teachers', run.teacher, 'model.onnx'));
  try {
    const tools = localTools(fsStores(work));
    const requested = parseSpec(await specOf(run.name));
    const spec = resolveSpec(requested, await localFacilities(requested));
    const upload = { teacher: await teacher, companions: [], data: await Promise.all(files) };
    const signal = new AbortController().signal;
    const done = await runJourney({ upload, requested, spec, signal, until: 'qualify' }, tools);
    const context: StageContext = {
      ...tools,
      ...{ upload, requested, spec, signal },
      // At once, so that it is there when the steps begin.
      threads: { ...tools.threads!, startMilliseconds: 0 },
      partial: { load: async () => undefined, save: async () => {} },
      progress: () => {},
      emit: async () => {},
    };
    const rows = await openRows(done, context);
    const student = await studentOf(done, context, rows);
    const phase = { ...phasesOf(context, rows).at(-1)!, steps };
    const logits = randomLogits(rows.dataset.splits.train.length * done.inspect.plan.scores.classes);
    /** Trains through the product's own loop; validations are left out. */
    const timesOf = async (kernel: string, isBeside: boolean): Promise<StepTimes> => {
      let beside: BatchesBeside | undefined;
      const plan = planTraining(
        {
          ...distilledRun(spec),
          ...{ phase, student, rows },
          teacher: async () => logits,
          ...(isBeside
            ? {
                beside: (maker, count) => {
                  beside = new BatchesBeside(maker, count, rows, done, context);
                  return beside;
                },
              }
            : {}),
        },
        done,
        { spec, kernels: { [spec.train.kernel]: kernelOf(kernel, tools) } },
      );
      try {
        // Warms up whoever makes them.
        for (let warm = 0; warm < 8; ) {
          await plan.batches.chunk(0, 8);
          if (!beside || beside.isBeside) warm++;
          else await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const whole = { ...plan, stepsBefore: 0, roundSteps: steps };
        const trained = await trainingRun(
          { ...whole, validate: async () => ({ score: null, figures: {} }) },
          context,
        );
        return trained.times!;
      } finally {
        await plan.batches.close?.();
      }
    };
    for (const kernel of kernels) {
      const between: StepTimes[] = [];
      const beside: StepTimes[] = [];
      for (let round = 0; round < rounds; round++) {
        between.push(await timesOf(kernel, false));
        beside.push(await timesOf(kernel, true));
      }
      const line = { name: 'load', job: run.name, kernel, unit: 'ms/step' };
      console.log(
        JSON.stringify({
          ...line,
          between: figuresOf(between, steps),
          thread: figuresOf(beside, steps),
          load: loadavg()[0],
        }),
      );
    }
    await rows.dataset.close();
  } finally {
    for (const file of await Promise.allSettled([teacher, ...files])) {
      if (file.status === 'fulfilled') await file.value.close();
    }
    await rm(work, { recursive: true, force: true });
  }
}

/** The round in the middle by its share. */
function figuresOf(rounds: readonly StepTimes[], steps: number) {
  const share = ({ waited, ran }: StepTimes): number => waited / (waited + ran);
  const middle = rounds.toSorted((a, b) => share(a) - share(b))[Math.floor(rounds.length / 2)]!;
  const perStep = (milliseconds: number): number => Number((milliseconds / steps).toPrecision(4));
  return { waited: perStep(middle.waited), ran: perStep(middle.ran), share: percent(share(middle)) };
}

function kernelOf(name: string, { kernels }: Pick<StageContext, 'kernels'>): TrainingKernel {
  const held = /^(\d+)ms$/.exec(name);
  if (held) return holding(Number(held[1]));
  const kernel = kernels[name];
  if (!kernel) throw new Error(`no kernel ${name}; known: ${Object.keys(kernels)}, 5ms`);
  return kernel;
}

/** Learns nothing, and blocks its thread as real ones do. */
const holding = (milliseconds: number): TrainingKernel => ({
  name: `${milliseconds} ms a step`,
  declines: async () => undefined,
  async open({ metrics }) {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    return {
      engine: 'none',
      preferredSteps: 32,
      async run({ steps }) {
        Atomics.wait(cell, 0, 0, steps * milliseconds);
        const zeros = new Float32Array(steps);
        return { loss: zeros, metrics: Object.fromEntries(metrics.map((name) => [name, zeros])) };
      },
      gradients: () => Promise.reject(new Error('it has none')),
      snapshot: async () => ({ step: 0, tensors: new Map() }),
      close: async () => {},
    };
  },
});
