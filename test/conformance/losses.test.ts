import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss, LossNumbers } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { resolveOptions } from '../../src/core/options.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import type { Program, ProgramInput } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { temperatureRange } from '../../src/core/temperature-range.ts';
import { kernels } from '../support/kernels.ts';
import { chunkOf } from '../support/training.ts';

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

/** Option sets to try: the defaults, every boolean option switched, every other choice of an option. */
function optionSets(loss: Loss): Record<string, unknown>[] {
  const defaults = resolveOptions(loss.options, {}, loss.name) as Record<string, unknown>;
  const entries = Object.entries(loss.options.properties as Record<string, { anyOf?: { const: unknown }[] }>);
  const changed = entries.flatMap(([key, { anyOf }]) => {
    const value = defaults[key];
    const values = typeof value === 'boolean' ? [!value] : (anyOf ?? []).map((choice) => choice.const);
    return values.filter((other) => other !== value).map((other) => ({ ...defaults, [key]: other }));
  });
  return [defaults, ...changed];
}

/** The loss alone, as a Program whose parameters are the student's logits. */
function programOf(loss: Loss, numbers: LossNumbers, options: Record<string, unknown>): Program {
  const b = new GraphBuilder();
  const dims = [numbers.studentLogits.length, C];
  const student = b.initializer('student', tensor('float32', dims, numbers.studentLogits.flat()));
  const inputs = ['teacher', 'labels'].map(
    (name): ProgramInput => ({ name: b.input(name, 'float32', dims), dtype: 'float32', dims }),
  );
  const value = loss.build(
    {
      b,
      studentLogits: student,
      teacherLogits: 'teacher',
      labels: 'labels',
      temperature: b.constant(numbers.temperature),
      own: new CollectedParts(b, 0).of('test'),
    },
    options,
  );
  b.output(value);
  return {
    graph: b.build(),
    loss: value,
    metrics: [],
    parameters: [{ name: student, owner: 'student' }],
    state: [],
    batch: inputs,
    noise: [],
    scalars: [],
    optimizer: { name: 'sgd', options: {} },
  };
}

async function kernelLoss(
  kernel: TrainingKernel,
  loss: Loss,
  numbers: LossNumbers,
  options: Record<string, unknown>,
) {
  const program = programOf(loss, numbers, options);
  const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
  const rows = { teacher: numbers.teacherLogits.flat(), labels: numbers.labels.flat() };
  const result = await trainer.gradients(chunkOf(program, () => rows, 0, 1));
  await trainer.close();
  return { loss: result.loss, gradient: Array.from(result.gradients.get('student')!) };
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

/** What a loss must bear: extreme logits of both, a student that says the same of all, a teacher that does, and one that
 * agrees with it. */
function hardCases(temperature: number): LossNumbers[] {
  const [extreme, plain] = [randomNumbers(2, 1e4, temperature), randomNumbers(3, 1, temperature)];
  const flat = plain.studentLogits.map((row) => row.map(() => 1));
  return [
    extreme,
    { ...extreme, studentLogits: extreme.teacherLogits },
    { ...plain, studentLogits: flat },
    { ...plain, teacherLogits: flat },
    { ...plain, studentLogits: plain.teacherLogits },
  ];
}

const twice = <T>(rows: readonly T[]): T[] => [...rows, ...rows];

for (const [name, entry] of Object.entries(losses)) {
  const loss: Loss = entry;
  // Those on hidden tensors have suites of their own: feature-losses.test.ts, layer-losses.test.ts.
  if (loss.features || loss.layers) continue;
  for (const options of optionSets(loss)) {
    for (const temperature of loss.temperature === undefined ? [1] : TEMPERATURES) {
      const title = `${name} ${JSON.stringify(options)} T=${temperature}`;

      for (const kernel of kernels) {
        test(`${title}, ${kernel.name}: the graph agrees with the reference, its gradient with finite differences of the reference`, async () => {
          const numbers = randomNumbers(1, 2, temperature);
          const { loss: value, gradient } = await kernelLoss(kernel, loss, numbers, options);
          const expected = loss.reference(numbers, options);
          assert.ok(
            Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
            `${value} against ${expected}`,
          );
          assert.ok(Math.hypot(...gradient) > 1e-3, 'nothing would be learned');
          gradient.forEach((g, i) => {
            const difference = finiteDifference(loss, numbers, options, i);
            assert.ok(
              Math.abs(g - difference) <= 1e-4 * Math.max(1, Math.abs(difference)),
              `entry ${i}: ${g} against ${difference}`,
            );
          });
        });

        test(`${title}, ${kernel.name}: right and finite at logits of +-1e4, at equal logits, at the teacher's`, async () => {
          for (const [i, numbers] of hardCases(temperature).entries()) {
            const { loss: value, gradient } = await kernelLoss(kernel, loss, numbers, options);
            assert.ok(Number.isFinite(value), `case ${i}: loss ${value}`);
            // float32 holds logits of 1e4 to 1e-3.
            const expected = loss.reference(numbers, options);
            const allowed = 1e-3 * Math.max(1, Math.abs(expected));
            assert.ok(Math.abs(value - expected) <= allowed, `case ${i}: ${value} against ${expected}`);
            assert.ok(gradient.every(Number.isFinite), `case ${i}: gradient`);
          }
        });
      }

      test(`${title}: a batch twice over has the same loss, and the gradient of a row is half`, async () => {
        const numbers = randomNumbers(7, 2, temperature);
        const { studentLogits, teacherLogits, labels } = numbers;
        const doubled = {
          ...numbers,
          studentLogits: twice(studentLogits),
          teacherLogits: twice(teacherLogits),
          labels: twice(labels),
        };
        const once = await kernelLoss(kernels[0]!, loss, numbers, options);
        const both = await kernelLoss(kernels[0]!, loss, doubled, options);
        assert.ok(Math.abs(both.loss - once.loss) <= 1e-5 * Math.max(1, Math.abs(once.loss)));
        twice(once.gradient).forEach((g, i) => {
          assert.ok(Math.abs(2 * both.gradient[i]! - g) <= 1e-5 * Math.max(1, Math.abs(g)), `entry ${i}`);
        });
      });
    }
  }
}

for (const [name, entry] of Object.entries(losses)) {
  const loss: Loss = entry;
  if (loss.features || loss.layers || loss.temperature === undefined) continue;
  for (const temperature of [temperatureRange.minimum, temperatureRange.maximum]) {
    test(`${name} at T ${temperature}, the end of the range: value and gradient are right`, async () => {
      const [options] = optionSets(loss);
      const plain = randomNumbers(8, 2, temperature);
      const flat = plain.teacherLogits.map((row) => row.map(() => 1));
      for (const numbers of [plain, { ...plain, teacherLogits: flat }]) {
        const expected = loss.reference(numbers, options!);
        const slopes = numbers.studentLogits
          .flat()
          .map((_, i) => finiteDifference(loss, numbers, options!, i));
        const steepest = Math.max(...slopes.map(Math.abs));
        for (const kernel of kernels) {
          const { loss: value, gradient } = await kernelLoss(kernel, loss, numbers, options!);
          assert.ok(
            Math.abs(value - expected) <= 1e-2 * Math.max(1e-2, Math.abs(expected)),
            `${kernel.name}: ${value} against ${expected}`,
          );
          gradient.forEach((g, i) => {
            assert.ok(
              Math.abs(g - slopes[i]!) <= 1e-2 * steepest + 1e-6,
              `${kernel.name}, entry ${i}: ${g} against ${slopes[i]}`,
            );
          });
        }
      }
    });
  }
}

test('kl and soft cross-entropy have the same gradient', async () => {
  const numbers = randomNumbers(4, 2, 4);
  for (const kernel of kernels) {
    const a = await kernelLoss(kernel, losses.kl, numbers, { standardize: false });
    const c = await kernelLoss(kernel, losses['soft-cross-entropy'], numbers, { standardize: false });
    a.gradient.forEach((g, i) => {
      assert.ok(Math.abs(g - c.gradient[i]!) < 1e-6);
    });
  }
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

test('annealed-mse at temperature 1 is logit-mse; its margin forgives whole rows and grows with phi', async () => {
  const numbers = { ...randomNumbers(7, 1, 1) };
  const whole = losses['annealed-mse'].reference(numbers, { maxTemperature: 10, margin: 0 });
  assert.ok(Math.abs(whole - losses['logit-mse'].reference(numbers, {})) < 1e-12);
  for (const temperature of [1, 7, 12]) {
    const options = { maxTemperature: 10, margin: 1.5 };
    const given = { ...numbers, temperature };
    const expected = losses['annealed-mse'].reference(given, options);
    const { loss: value, gradient } = await kernelLoss(kernels[0]!, losses['annealed-mse'], given, options);
    assert.ok(Math.abs(value - expected) < 1e-5, `${value} against ${expected}`);
    gradient.forEach((g, i) => {
      assert.ok(Math.abs(g - finiteDifference(losses['annealed-mse'], given, options, i)) < 1e-4);
    });
    const forgiven = { maxTemperature: 10, margin: 1e3 };
    assert.equal(losses['annealed-mse'].reference(given, forgiven), 0);
  }
});
