import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss, LossNumbers } from '../../src/core/losses/loss.ts';
import { selfDistillation } from '../../src/core/losses/self-distillation.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import type { Program } from '../../src/core/program/program.ts';
import { students } from '../../src/core/students/index.ts';
import { kernels } from '../support/kernels.ts';
import { layerNumbers, layerProgram, ownName, ownOf } from '../support/layer-program.ts';
import { chunkOf } from '../support/training.ts';

/** Losses on layers of the student alone: graph against reference, gradients of both kernels against its differences. */

/** What does not teach itself: no gradient may reach it. */
const TEACHERS: Readonly<Record<string, (sample: readonly unknown[]) => string[]>> = {
  'self-distillation': (sample) => ['logits', `layer${sample.length - 1}`],
};
const OPTIONS: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  'self-distillation': [{}, { alpha: 1, hint: 0 }, { alpha: 0.5 }, { alpha: 0, hint: 2 }],
};

async function gradientsOn(kernel: (typeof kernels)[number], program: Program) {
  const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
  try {
    const one = { dtype: 'float32' as const, dims: [1, 1], data: Float32Array.of(1) };
    return await trainer.gradients({ steps: 1, feeds: { one }, scalars: {} });
  } finally {
    await trainer.close();
  }
}

/** The reference with one number moved: of a layer or of what the loss owns. */
function moved(
  loss: Loss,
  plain: LossNumbers,
  options: Readonly<Record<string, unknown>>,
  name: string,
  at: number,
  by: number,
) {
  const { layers, own, ...rest } = structuredClone(plain);
  const layer = /^layer(\d+)$/.exec(name);
  const { data } = layer ? layers![Number(layer[1])]! : own![name]!;
  (data as number[])[at]! += by;
  return loss.reference({ ...rest, layers, own } as LossNumbers, options);
}

for (const [name, entry] of Object.entries(losses)) {
  const loss: Loss = entry;
  if (!loss.layers) continue;
  for (const given of OPTIONS[name]!) {
    for (const sample of loss.layers.samples) {
      const options = resolveOptions(loss.options, { ...given }, name) as Record<string, unknown>;
      const title = `${name} ${JSON.stringify(options)} ${sample.map((dims) => `[${dims}]`).join(' ')}`;
      const teachers = TEACHERS[name]!(sample);

      test(`${title}: both kernels agree with the reference, their gradients with its differences; what teaches gets none`, async () => {
        const numbers = layerNumbers(loss, sample);
        const program = layerProgram(loss, numbers, options);
        const plain = { ...numbers, own: ownOf(program) };
        const expected = loss.reference(plain, options);
        const h = 1e-5;
        for (const kernel of kernels) {
          const { loss: value, gradients } = await gradientsOn(kernel, program);
          assert.ok(Math.abs(value - expected) <= 1e-5 * Math.max(1, expected), `${value}, ${expected}`);
          for (const { name: parameter, owner } of program.parameters) {
            const gradient = gradients.get(parameter)!;
            if (teachers.includes(parameter)) {
              assert.ok(
                gradient.every((g) => g === 0),
                `${kernel.name}: ${parameter} is taught`,
              );
              continue;
            }
            const own = owner === 'objective' ? parameter.slice(ownName('').length) : parameter;
            const scale = Math.max(1e-2, ...gradient.map(Math.abs));
            assert.ok(scale > 1e-3);
            gradient.forEach((g, i) => {
              const up = moved(loss, plain, options, own, i, h);
              const wanted = (up - moved(loss, plain, options, own, i, -h)) / (2 * h);
              assert.ok(
                Math.abs(g - wanted) <= 1e-3 * scale,
                `${kernel.name}, ${parameter}[${i}]: ${g}, ${wanted}`,
              );
            });
          }
        }
      });

      test(`${title}: finite and right at huge, equal and no features and logits`, async () => {
        const usual = layerNumbers(loss, sample);
        const all = (value: number): LossNumbers => ({
          ...usual,
          studentLogits: usual.studentLogits.map((row) => row.map(() => value)),
          layers: usual.layers!.map(({ dims, data }) => ({ dims, data: data.map(() => value) })),
        });
        const unlabelled = { ...usual, labels: usual.labels.map((row) => row.map(() => 0)) };
        for (const numbers of [layerNumbers(loss, sample, 1e4), all(0), all(1), unlabelled]) {
          const program = layerProgram(loss, numbers, options);
          const expected = loss.reference({ ...numbers, own: ownOf(program) }, options);
          for (const kernel of kernels) {
            const { loss: value, gradients } = await gradientsOn(kernel, program);
            const allowed = 1e-3 * Math.max(1, Math.abs(expected));
            assert.ok(Math.abs(value - expected) <= allowed, `${kernel.name}: ${value}, ${expected}`);
            for (const [parameter, gradient] of gradients) {
              assert.ok(gradient.every(Number.isFinite), `${kernel.name}: gradient of ${parameter}`);
            }
          }
        }
      });

      test(`${title}: a batch twice over has the same loss, and the gradient of a row is half`, async () => {
        const once = layerNumbers(loss, sample);
        const twice = <T>(list: readonly T[]): T[] => [...list, ...list];
        const doubled: LossNumbers = {
          ...once,
          studentLogits: twice(once.studentLogits),
          labels: twice(once.labels),
          layers: once.layers!.map(({ dims, data }) => ({
            dims: [2 * dims[0]!, ...dims.slice(1)],
            data: twice(data),
          })),
        };
        const [one, two] = await Promise.all(
          [once, doubled].map((numbers) => gradientsOn(kernels[0]!, layerProgram(loss, numbers, options))),
        );
        assert.ok(Math.abs(two!.loss - one!.loss) <= 1e-5 * Math.max(1, one!.loss));
        const [single, both] = [one!, two!].map(({ gradients }) => gradients.get('layer0')!);
        twice([...single!]).forEach((g, i) => {
          assert.ok(Math.abs(2 * both![i]! - g) <= 1e-5, `entry ${i}`);
        });
      });
    }
  }
}

test('in a real network the last layer gets the gradient of its own terms alone, the first one that of its head, too', async () => {
  const [rows, classes] = [6, 3];
  const port = { input: 'x', inputShape: [5], output: 'logits', classes };
  const student = students.mlp.build(port, { hidden: [7, 6], dropout: 0 }, 1);
  const hard = { loss: 'cross-entropy', weight: 1, options: {} };
  const within = {
    loss: 'self-distillation',
    weight: 1,
    temperature: 3,
    options: resolveOptions(selfDistillation.options, {}, 'self-distillation'),
    at: ['hidden1', 'hidden2'],
  };
  const optimizer = { name: 'sgd', options: {} };
  const [alone, both] = [[hard], [hard, within]].map((terms) =>
    buildProgram({ student, terms, batchSize: rows, optimizer }),
  );
  const batch = () => ({
    x: Array.from({ length: rows * 5 }, (_, i) => Math.sin(3 * i)),
    labels: Array.from({ length: rows * classes }, (_, i) =>
      Number(i % classes === Math.floor(i / classes) % classes),
    ),
  });
  for (const kernel of kernels) {
    const [without, withIt] = await Promise.all(
      [alone!, both!].map(async (program) => {
        const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
        const { gradients } = await trainer.gradients(chunkOf(program, batch, 0, 1));
        await trainer.close();
        return gradients;
      }),
    );
    const owned = [...withIt!.keys()].filter((name) =>
      name.startsWith('objective/term:self-distillation/0.'),
    );
    assert.equal(owned.length, 4);
    for (const [name, gradient] of without!) {
      const change = Math.max(...gradient.map((g, i) => Math.abs(g - withIt!.get(name)![i]!)));
      if (name.startsWith('fc1')) assert.ok(change > 1e-3, `${kernel.name}: ${name} is not taught`);
      else assert.ok(change < 1e-7, `${kernel.name}: ${name} is taught`);
    }
  }
});
