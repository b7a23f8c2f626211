import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss, LossNumbers } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import { Random } from '../../src/core/random.ts';
import { runModel } from '../support/run-model.ts';

const B = 5;
const C = 4;
const TEMPERATURES = [1, 4];

function randomNumbers(seed: number, scale: number, temperature: number): LossNumbers {
  const random = new Random(seed, 'losses');
  const rows = (make: () => number) => Array.from({ length: B }, () => Array.from({ length: C }, make));
  const labels = Array.from({ length: B }, (_, b) =>
    Array.from({ length: C }, (_, c) => (b > 0 && c === b % C ? 1 : 0)),
  );
  return {
    studentLogits: rows(() => random.normal() * scale),
    teacherLogits: rows(() => random.normal() * scale),
    labels,
    temperature,
  };
}

/** Option sets to try: the defaults, and every boolean option switched. */
function optionSets(loss: Loss): Record<string, unknown>[] {
  const entries = Object.entries(loss.options.properties as Record<string, { default?: unknown }>);
  const defaults = Object.fromEntries(entries.map(([key, schema]) => [key, schema.default]));
  const switched = entries
    .filter(([, schema]) => typeof schema.default === 'boolean')
    .map(([key, schema]) => ({ ...defaults, [key]: !schema.default }));
  return [defaults, ...switched];
}

async function graphLoss(loss: Loss, numbers: LossNumbers, options: Record<string, unknown>) {
  const b = new GraphBuilder();
  const rows = (name: string, values: readonly (readonly number[])[]) =>
    b.initializer(name, tensor('float32', [B, C], values.flat()));
  const student = b.input('student', 'float32', [B, C]);
  const value = loss.build(
    {
      b,
      studentLogits: student,
      teacherLogits: rows('teacher', numbers.teacherLogits),
      labels: rows('labels', numbers.labels),
      temperature: b.constant(numbers.temperature),
      own: new CollectedParts(b, 0).of('test'),
    },
    options,
  );
  const gradient = appendGradients(b, { outputs: value, wrt: [student], target: 'ort-cpu' }).get(student)!;
  b.output(value, gradient);
  const feed = {
    dtype: 'float32' as const,
    dims: [B, C],
    data: Float32Array.from(numbers.studentLogits.flat()),
  };
  const outputs = await runModel(b.model(), { student: feed });
  return {
    loss: Number(outputs[value]!.data[0]),
    gradient: Array.from(outputs[gradient]!.data as Float32Array),
  };
}

function finiteDifference(
  loss: Loss,
  numbers: LossNumbers,
  options: Record<string, unknown>,
  index: number,
): number {
  const h = 1e-4;
  const shifted = (by: number) => {
    const studentLogits = numbers.studentLogits.map((row) => [...row]);
    studentLogits[Math.floor(index / C)]![index % C]! += by;
    return loss.reference({ ...numbers, studentLogits }, options);
  };
  return (shifted(h) - shifted(-h)) / (2 * h);
}

for (const [name, entry] of Object.entries(losses)) {
  const loss: Loss = entry;
  // Those on hidden tensors have a suite of their own: feature-losses.test.ts.
  if (loss.features) continue;
  for (const options of optionSets(loss)) {
    for (const temperature of loss.temperature === undefined ? [1] : TEMPERATURES) {
      const title = `${name} ${JSON.stringify(options)} T=${temperature}`;

      test(`${title}: the graph agrees with the reference, its gradient with finite differences of the reference`, async () => {
        const numbers = randomNumbers(1, 2, temperature);
        const { loss: value, gradient } = await graphLoss(loss, numbers, options);
        const expected = loss.reference(numbers, options);
        assert.ok(
          Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
          `${value} against ${expected}`,
        );
        gradient.forEach((g, i) => {
          const difference = finiteDifference(loss, numbers, options, i);
          assert.ok(
            Math.abs(g - difference) <= 1e-4 * Math.max(1, Math.abs(difference)),
            `entry ${i}: ${g} against ${difference}`,
          );
        });
      });

      test(`${title}: finite at logits of +-1e4 and at equal logits`, async () => {
        for (const numbers of [
          randomNumbers(2, 1e4, temperature),
          {
            ...randomNumbers(3, 1, temperature),
            studentLogits: Array.from({ length: B }, () => [1, 1, 1, 1]),
          },
        ]) {
          const { loss: value, gradient } = await graphLoss(loss, numbers, options);
          assert.ok(Number.isFinite(value), `loss ${value}`);
          assert.ok(gradient.every(Number.isFinite), 'gradient');
        }
      });
    }
  }
}

test('kl and soft cross-entropy have the same gradient', async () => {
  const numbers = randomNumbers(4, 2, 4);
  const a = await graphLoss(losses.kl, numbers, { standardize: false });
  const c = await graphLoss(losses['soft-cross-entropy'], numbers, { standardize: false });
  a.gradient.forEach((g, i) => {
    assert.ok(Math.abs(g - c.gradient[i]!) < 1e-6);
  });
});

test('kl is zero where the student equals the teacher', () => {
  const numbers = randomNumbers(5, 3, 4);
  assert.ok(
    Math.abs(
      losses.kl.reference({ ...numbers, studentLogits: numbers.teacherLogits }, { standardize: false }),
    ) < 1e-12,
  );
});

test('kl tends to half the squared distance of centred logits, over C, for a large temperature', () => {
  const numbers = randomNumbers(6, 1, 1e4);
  const centre = (row: readonly number[]) => row.map((z) => z - row.reduce((s, v) => s + v, 0) / C);
  const distance = numbers.studentLogits.map((row, b) => {
    const t = centre(numbers.teacherLogits[b]!);
    return centre(row).reduce((s, z, c) => s + (z - t[c]!) ** 2, 0);
  });
  const expected = distance.reduce((s, d) => s + d, 0) / (2 * C * B);
  assert.ok(Math.abs(losses.kl.reference(numbers, { standardize: false }) / expected - 1) < 1e-3);
});
