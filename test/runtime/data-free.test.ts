import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildInversion, INVERSION_INPUTS, PICTURES } from '../../src/core/inversion/build-inversion.ts';
import { argmax, logProbabilities } from '../../src/core/metrics/rows.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import { npyBytes } from '../../src/data/encode-npy.ts';
import { parseNpyHeader } from '../../src/data/formats/npy-header.ts';
import { RetortError } from '../../src/errors.ts';
import { loadLogits } from '../../src/pipeline/logits/logits-store.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { validateJob } from '../../src/pipeline/validate-job.ts';
import type { ResolvedSpec } from '../../src/spec/resolved-spec.ts';
import { delayedKernel } from '../support/delayed-kernel.ts';
import { kernels } from '../support/kernels.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** Jobs without training data: pictures recovered from the teacher, and a student that learns from them. */

const [MEAN, VARIANCE] = [110, 500];

/** The tiny teacher as mean of each quadrant, batch normalisation with its statistics, and the best class the brightest. */
function normalTeacher({
  batch = 'N' as 'N' | 1,
  layout = 'NCHW' as 'NCHW' | 'NHWC',
  /** Whether the rows of a run change each other's scores. */
  mixed = false,
} = {}) {
  const b = new GraphBuilder();
  const x = b.input('picture', 'float32', layout === 'NCHW' ? [batch, 1, 8, 8] : [batch, 8, 8, 1]);
  const first = layout === 'NCHW' ? x : b.op('Transpose', [x], { perm: [0, 3, 1, 2] });
  const kernel = b.initializer('kernel', tensor('float32', [1, 1, 4, 4], new Float32Array(16).fill(1 / 16)));
  const means = b.op('Conv', [first, kernel], { strides: [4, 4], kernel_shape: [4, 4] });
  const one = (name: string, value: number): string => b.initializer(name, tensor('float32', [1], [value]));
  const statistics = [one('mean', MEAN), one('var', VARIANCE)];
  const normal = b.op('BatchNormalization', [means, one('scale', 1), one('bias', 0), ...statistics]);
  const weights = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 4 : 0));
  const w = b.initializer('weights', tensor('float32', [4, 4], weights));
  const scores = b.op('MatMul', [b.op('Flatten', [normal], { axis: 1 }), w]);
  const scale = mixed ? b.op('ReduceSum', [b.op('Abs', [scores])]) : b.constant(1);
  b.op('Div', [scores, scale], {}, { outputs: ['scores'] });
  b.output('scores');
  return b.model('normal-teacher');
}

const specOf = (strategy: object = {}, train: object = {}, more: object = {}) =>
  tinySpec({
    strategy: { name: 'data-free', images: 100, batch: 40, steps: 60, shift: 0, ...strategy },
    train: {
      kernel: 'onnxruntime',
      epochs: 30,
      batchSize: 20,
      optimizer: { name: 'adam', learningRate: 0.03 },
      ...train,
    },
    ...more,
  });
const request = (spec: object, teacher: Uint8Array = encodeModel(normalTeacher())) =>
  tinyRequest(spec, teacher);
const artifact = async (name: string, { publish }: Results, { blobs }: Tools): Promise<Uint8Array> =>
  blobs.get(publish.artifacts.find((each) => each.name === name)!.hash);

test('pictures look to the teacher like the classes that were drawn and like its statistics; the student learns from them', async () => {
  // A teacher that takes one row at a time, too: its graph is opened with the batch that pictures are recovered in.
  for (const kind of [{ layout: 'NCHW' }, { layout: 'NHWC' }, { batch: 1 }] as const) {
    const tools = memoryTools();
    const results = await runJourney(request(specOf(), encodeModel(normalTeacher(kind))), tools);
    const { recover, teach, qualify } = results;
    assert.equal(recover!.rows, 100);
    assert.deepEqual(
      [qualify.card.splits.train, qualify.labelled, results.control],
      [{ rows: 100, unlabelled: 100 }, 0, null],
    );
    const logits = await loadLogits(tools.blobs, teach.train[0]!);
    // Each batch of 40 goes on where the one before it ended.
    const right = Array.from({ length: 100 }, (_, row) => argmax(logits, 4, row) === row % 4);
    assert.ok(right.filter(Boolean).length > 95, `${right.filter(Boolean).length} of 100`);

    const file = await artifact('recovered.npy', results, tools);
    const { element, dims } = parseNpyHeader(file.subarray(0, 4096), 'recovered.npy');
    assert.deepEqual([element, dims], ['u1', [100, 8, 8, 1]]);
    const pixels = npyBytes(file);
    assert.equal(pixels.length, 6400);
    const quadrants = Array.from({ length: 400 }, (_, i) => {
      const [row, top, left] = [Math.floor(i / 4), (i & 2) * 2, (i & 1) * 4];
      let sum = 0;
      for (let p = 0; p < 16; p++) sum += pixels[row * 64 + (top + (p >> 2)) * 8 + left + (p & 3)]!;
      return sum / 16;
    });
    const mean = quadrants.reduce((sum, q) => sum + q, 0) / 400;
    const variance = quadrants.reduce((sum, q) => sum + (q - mean) ** 2, 0) / 400;
    assert.ok(Math.abs(mean - MEAN) < 5, `mean ${mean}`);
    assert.ok(Math.abs(variance - VARIANCE) < 0.3 * VARIANCE, `variance ${variance}`);

    const report: Report = JSON.parse(
      new TextDecoder().decode(await artifact('report.json', results, tools)),
    );
    const { accuracy } = report.models.student!.metrics;
    assert.ok(Number(accuracy) > 0.8, `${accuracy}`);
    const card = new TextDecoder().decode(await artifact('model-card.md', results, tools));
    assert.match(
      card,
      /- Training rows: 100 pictures recovered from the teacher by .*\(labels 0\.\d+, statistics/,
    );
  }
});

test('pictures are recovered by the faster kernel, and once: not again when the job goes on with its kernel settled', async () => {
  const tools = {
    ...memoryTools(),
    kernels: { onnxruntime: delayedKernel('onnxruntime', 60).kernel, tfjs: delayedKernel('tfjs', 0).kernel },
  };
  const job = request(specOf({ steps: 20 }, { kernel: 'auto', epochs: 4 }));
  const stop = new AbortController();
  let { spec } = job;
  const began: string[] = [];
  const observer = {
    stage: (name: string, state: string) => void (state === 'started' && began.push(name)),
    progress: (stage: string) => void (stage === 'train' && stop.abort()),
  };
  const settled = async (kept: ResolvedSpec) => {
    spec = kept;
  };
  await assert.rejects(runJourney({ ...job, signal: stop.signal, observer, settled }, tools), {
    code: 'CANCELLED',
  });
  assert.equal(spec.train.kernel, 'tfjs');
  assert.ok(began.includes('recover'));
  began.length = 0;
  const { recover } = await runJourney({ ...job, spec, observer }, tools);
  assert.equal(recover!.engine, 'tfjs');
  assert.ok(began.includes('train') && !began.includes('recover'), `${began}`);
});

class Killed extends Error {}

for (const kernel of kernels) {
  test(`${kernel.name}: stopped or killed in every batch it recovers the same pictures and makes the same student, bit for bit`, async () => {
    const train = { kernel: kernel.name, epochs: 4, augment: [{ name: 'translate' }], checkpointEvery: 7 };
    const spec = specOf({ steps: 20, shift: 1, flip: true }, train);
    const whole = memoryTools();
    const expected = await runJourney(request(spec), whole);
    for (const how of ['stop', 'kill'] as const) {
      const tools = memoryTools();
      const hit = new Set<string>();
      let results: Results | undefined;
      for (let runs = 0; !results; runs++) {
        assert.ok(runs < 20, 'the job does not get on');
        const stop = new AbortController();
        const progress = (stage: string, done: number, _total: number, note?: string): void => {
          const where = `${stage} ${note}`;
          if ((stage !== 'recover' && stage !== 'train') || hit.has(where) || done % 20 === 7) return;
          hit.add(where);
          if (how === 'kill') throw new Killed();
          stop.abort();
        };
        try {
          results = await runJourney(
            { ...request(spec), signal: stop.signal, observer: { progress } },
            tools,
          );
        } catch (error) {
          const isStop = error instanceof RetortError && error.code === 'CANCELLED';
          if (!isStop && !(error instanceof Killed)) throw error;
        }
      }
      assert.deepEqual(
        [...hit],
        ['recover batch-1', 'recover batch-2', 'recover batch-3', 'train undefined'],
      );
      for (const name of ['recovered.npy', 'student.onnx', 'metrics.jsonl']) {
        assert.deepEqual(
          await artifact(name, results, tools),
          await artifact(name, expected, whole),
          `${how}: ${name}`,
        );
      }
    }
  });
}

test('the loss is what its definition says, and both kernels agree on its gradient', async () => {
  const random = new Random(3, 'inversion');
  const drawn = Float32Array.from({ length: 3 * 64 }, () => random.normal());
  const weights = { labels: 1, statistics: 0.5, variation: 0.25, size: 0.125 };
  const program = buildInversion({
    teacher: normalTeacher(),
    input: { name: 'picture', layout: 'NCHW' },
    constants: new Map(),
    scores: { name: 'scores', classes: 4, kind: 'logits' },
    pictures: tensor('float32', [3, 1, 8, 8], drawn),
    slope: [64],
    offset: [127.5],
    weights,
    learningRate: 0.1,
  });
  const identity = Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0));
  const labels = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1);
  const feeds = {
    [INVERSION_INPUTS.labels]: { dtype: 'float32', dims: [1, 3, 4], data: labels },
    [INVERSION_INPUTS.rows]: { dtype: 'float32', dims: [1, 8, 8], data: identity },
    [INVERSION_INPUTS.columns]: { dtype: 'float32', dims: [1, 8, 8], data: identity },
  } as const;

  const at = (n: number, y: number, x: number): number => drawn[n * 64 + y * 8 + x]!;
  const means = [0, 1, 2].map((n) =>
    [0, 1, 2, 3].map((q) => {
      let sum = 0;
      for (let p = 0; p < 16; p++) sum += 64 * at(n, (q >> 1) * 4 + (p >> 2), (q & 1) * 4 + (p & 3)) + 127.5;
      return sum / 16;
    }),
  );
  const scores = Float32Array.from(means.flat(), (m) => (4 * (m - MEAN)) / Math.sqrt(VARIANCE + 1e-5));
  const average = (list: readonly number[]): number =>
    list.reduce((sum, value) => sum + value, 0) / list.length;
  const mean = average(means.flat());
  const variance = average(means.flat().map((m) => (m - mean) ** 2));
  const pairs = (dy: number, dx: number): number[] =>
    [0, 1, 2].flatMap((n) =>
      Array.from({ length: 64 }, (_, i) => [i >> 3, i & 7] as const)
        .filter(([y, x]) => y + dy < 8 && x + dx < 8)
        .map(([y, x]) => (at(n, y + dy, x + dx) - at(n, y, x)) ** 2),
    );
  const expected = {
    labels: -average([0, 1, 3].map((label, row) => logProbabilities(scores, 4, row)[label]!)),
    statistics:
      Math.abs(mean - MEAN) / Math.sqrt(1.01 * VARIANCE) + Math.abs(variance - VARIANCE) / (1.01 * VARIANCE),
    variation: average(pairs(1, 0)) + average(pairs(0, 1)),
    size: average([...drawn].map((u) => u * u)),
  };
  const found: Float32Array[] = [];
  for (const kernel of kernels) {
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    const scalars = { learning_rate: Float32Array.of(0.1) };
    const { gradients } = await trainer.gradients({ steps: 1, feeds, scalars }).catch(async (error) => {
      await trainer.close();
      throw error;
    });
    found.push(gradients.get(PICTURES)!);
    await trainer.close();
  }
  const top = Math.max(...found[0]!.map(Math.abs));
  assert.ok(top > 0);
  for (const [i, value] of found[0]!.entries())
    assert.ok(Math.abs(value - found[1]![i]!) < 1e-4 * top, `${i}`);

  const { optimizerScalars } = await import('../../src/core/schedules/optimizer-scalars.ts');
  const trainer = await kernels[0]!.open(program, { device: 'cpu', threads: 1, seed: 0 });
  const constant = { name: 'constant', options: {} };
  const scalars = optimizerScalars(program.optimizer, constant, { totalSteps: 1, stepsPerEpoch: 1 }, 0, 1);
  const { loss, metrics } = await trainer.run({ steps: 1, feeds, scalars });
  await trainer.close();
  let total = 0;
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(
      Math.abs(metrics[`term:${name}`]![0]! - value) < 1e-3 * Math.max(1, value),
      `${name}: ${metrics[`term:${name}`]} ${value}`,
    );
    total += weights[name as keyof typeof weights] * value;
  }
  assert.ok(Math.abs(loss[0]! - total) < 1e-3 * total);
});

test('a dry run recovers nothing, and counts what it would take', async () => {
  const tools = memoryTools();
  const { estimate, dataset } = await validateJob(request(specOf({ steps: 100_000 })), tools, () => 0);
  assert.equal(dataset.splits.train.rows, 100);
  assert.ok(estimate.seconds.teach > 1);
  assert.deepEqual(await tools.jobs.list({ prefix: 'stage/recover/' }), []);
});

test('a student that does not fit is refused before pictures are recovered', async () => {
  const stages: string[] = [];
  const observer = { progress: (stage: string) => void stages.push(stage) };
  const misfit = specOf({}, {}, { student: { auto: { maxParams: 1 } } });
  await assert.rejects(
    runJourney({ ...request(misfit), observer }, memoryTools()),
    (error: RetortError) => error instanceof RetortError,
  );
  assert.ok(!stages.includes('recover'), stages.join());
});

test('teachers without statistics, and what learns nothing from such pictures, are refused before any compute', async () => {
  const refused = (spec: object, teacher: Uint8Array, code: string, words: RegExp) =>
    assert.rejects(
      runJourney({ ...request(spec, teacher), until: 'recover' }, memoryTools()),
      (error: RetortError) => error.code === code && words.test(error.message) && error.hint !== undefined,
    );
  await refused(specOf(), tinyTeacher(), 'ONNX_UNSUPPORTED', /no BatchNormalization with its statistics/);
  const single = encodeModel(normalTeacher({ mixed: true }));
  await refused(specOf(), single, 'ONNX_UNSUPPORTED', /it runs 1 row at a time/);
  assert.throws(
    () => request(specOf({}, {}, { objective: { alpha: 0.5 } })),
    /"data-free" reads no labels, and "alpha" is 0.5/,
  );
  assert.throws(() => request(specOf({ images: 0 })), /images/);
});
