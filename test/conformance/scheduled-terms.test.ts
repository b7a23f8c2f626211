import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProgram, type ObjectiveTerm } from '../../src/core/program/build-program.ts';
import type { Chunk } from '../../src/core/program/kernel.ts';
import { objectiveScalars } from '../../src/core/program/objective-scalars.ts';
import { Random } from '../../src/core/random.ts';
import { optimizerScalars } from '../../src/core/schedules/optimizer-scalars.ts';
import { students } from '../../src/core/students/index.ts';
import { kernels } from '../support/kernels.ts';

/** Weights and temperatures that follow a schedule, on every kernel. */

const [B, C, STEPS] = [4, 3, 12];
const sgd = { name: 'sgd', options: { learningRate: 0.2, momentum: 0.9 } };
const terms: readonly ObjectiveTerm[] = [
  {
    loss: 'kl',
    weight: 2,
    temperature: 4,
    options: { standardize: false },
    schedule: {
      weight: { from: 1, to: 0, over: 0.5 },
      temperature: { from: 5, to: 1, over: 1, stairs: 5 },
    },
  },
  { loss: 'cross-entropy', weight: 3, options: {}, schedule: { weight: { from: 0, to: 1, over: 0.5 } } },
];
const program = buildProgram({
  student: students.mlp.build(
    { input: 'x', inputShape: [5], output: 'logits', classes: C },
    { hidden: [], dropout: 0 },
    1,
  ),
  terms,
  batchSize: B,
  optimizer: sgd,
});

function drawn(name: string, step: number, size: number): Float32Array {
  const random = new Random(11, name, step);
  return Float32Array.from({ length: size }, () => random.normal());
}

function chunk(first: number, steps: number): Chunk {
  const feed = (name: string, width: number) => {
    const data = new Float32Array(steps * B * width);
    for (let k = 0; k < steps; k++) data.set(drawn(name, first + k, B * width), k * B * width);
    return { dtype: 'float32' as const, dims: [steps, B, width], data };
  };
  const labels = feed('labels', C);
  labels.data.forEach((_, i) => {
    labels.data[i] = i % C === Math.floor((i % (B * C)) / C) % C ? 1 : 0;
  });
  return {
    steps,
    feeds: { x: feed('x', 5), labels, teacher_logits: feed('teacher', C) },
    scalars: {
      ...optimizerScalars(
        sgd,
        { name: 'constant', options: {} },
        { totalSteps: STEPS, stepsPerEpoch: STEPS },
        first,
        steps,
      ),
      ...objectiveScalars(terms, STEPS, first, steps),
    },
  };
}

for (const kernel of kernels) {
  const run = async (sizes: readonly number[]) => {
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    const seen = { loss: [] as number[], kl: [] as number[], labels: [] as number[] };
    let first = 0;
    for (const steps of sizes) {
      const { loss, metrics } = await trainer.run(chunk(first, steps));
      seen.loss.push(...loss);
      seen.kl.push(...metrics['term:kl']!);
      seen.labels.push(...metrics['term:cross-entropy']!);
      first += steps;
    }
    const snapshot = await trainer.snapshot();
    await trainer.close();
    return { ...seen, snapshot };
  };

  test(`${kernel.name}: the loss is the sum of the terms, each with its weight of that step`, async () => {
    const { loss, kl, labels } = await run([STEPS]);
    for (let k = 0; k < STEPS; k++) {
      const progress = Math.min(1, k / 6);
      const expected = 2 * (1 - progress) * kl[k]! + 3 * progress * labels[k]!;
      assert.ok(
        Math.abs(loss[k]! - expected) < 1e-5 * Math.max(1, expected),
        `step ${k}: ${loss[k]} not ${expected}`,
      );
    }
  });

  test(`${kernel.name}: a term is computed at its temperature of that step`, async () => {
    const { kl } = await run([1]);
    // The first stair is 5; the fixed temperature of the term, 4, must not count.
    const first = chunk(0, 1);
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    const at = async (temperature: number) => {
      const scalars = { ...first.scalars, 'term:kl:temperature': Float32Array.of(temperature) };
      return (await trainer.gradients({ ...first, scalars })).loss;
    };
    assert.ok(Math.abs((await at(5)) - 2 * kl[0]!) < 1e-5);
    assert.ok(Math.abs((await at(4)) - 2 * kl[0]!) > 1e-4);
    await trainer.close();
  });

  test(`${kernel.name}: any chunking gives the same bits`, async () => {
    assert.deepEqual(await run([1, 4, 7]), await run([STEPS]));
  });
}
