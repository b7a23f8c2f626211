import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NumberArray, NumberPair } from '../../src/core/losses/features.ts';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss, LossNumbers } from '../../src/core/losses/loss.ts';
import { numbers as numbersOf } from '../../src/core/onnx/tensor.ts';
import { noiseFor } from '../../src/core/program/noise.ts';
import type { Program } from '../../src/core/program/program.ts';
import {
  FEATURE_SEED,
  featureLabels,
  featureProgram,
  optionSets,
  randomPairs,
} from '../support/feature-program.ts';
import { kernels } from '../support/kernels.ts';

/** Losses on hidden tensors: graph against reference, the gradients of both kernels against differences of the reference. */

const PREFIX = 'objective/test/';

/** What the loss owns, as the reference gets it. */
function ownNumbers({ graph, parameters, noise, state }: Program): Record<string, NumberArray> {
  const short = (name: string): string => name.slice(PREFIX.length);
  const stored = [
    ...parameters.filter(({ owner }) => owner === 'objective').map(({ name }) => name),
    ...state.map(({ initial }) => initial),
  ];
  return Object.fromEntries([
    ...stored.map((name) => {
      const value = graph.initializers.get(name)!;
      return [short(name), { dims: value.dims, data: numbersOf(value) }];
    }),
    ...noise.map((input) => [
      short(input.name),
      { dims: input.dims, data: Array.from(noiseFor(input, FEATURE_SEED, 0, 1) as Float32Array) },
    ]),
  ]);
}

/** What the reference of a loss reads where it stands alone on these features. */
const plainOf = (loss: Loss, program: Program, features: readonly NumberPair[]): LossNumbers => ({
  studentLogits: [],
  teacherLogits: [],
  labels: featureLabels(features),
  temperature: loss.temperature ?? 1,
  features,
  own: ownNumbers(program),
});

async function gradientsOn(kernel: (typeof kernels)[number], program: Program) {
  const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: FEATURE_SEED });
  try {
    const one = { dtype: 'float32' as const, dims: [1, 1], data: Float32Array.of(1) };
    return await trainer.gradients({ steps: 1, feeds: { one }, scalars: {} });
  } finally {
    await trainer.close();
  }
}

/** In float32 these are the same but for rounding: a value is one rounded sum or a few, and at 0 differences cancel. */
const ROUNDING = 1e-5;
const CANCELLED = 1e-6;
/** Batch normalisation of a constant divides what rounding leaves of it by sqrt(1e-5). */
const NORMALISED: Readonly<Record<string, number>> = { review: 1e-3 };

/** What a batch twice over may make of a loss; the others stay what they are, since they are means over rows. */
const TWICE: Readonly<Record<string, number>> = {
  // Its masks are drawn for each row, so that the copies have others.
  mgd: 0.3,
  // A mean over pairs and triples of rows: a row and its copy are 0 apart on both sides.
  relational: 0.3,
};

const close = (a: number, b: number, tolerance: number): boolean =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

for (const [name, entry] of Object.entries(losses)) {
  const loss: Loss = entry;
  if (!loss.features) continue;
  for (const options of optionSets(loss)) {
    for (const sample of loss.features.samples) {
      const shapes = sample.map(({ student, teacher }) => `[${student}]~[${teacher}]`).join(' ');
      const title = `${name} ${JSON.stringify(options)} ${shapes}`;

      test(`${title}: both kernels agree with the reference, their gradients with its differences`, async () => {
        const pairs = randomPairs(sample);
        const program = featureProgram(loss, pairs, options);
        const plain = plainOf(loss, program, pairs);
        const expected = loss.reference(plain, options);
        const changed = (change: (data: number[]) => void, place: number | string): number => {
          const features = plain.features!.map((pair) => ({
            ...pair,
            student: { dims: pair.student.dims, data: [...pair.student.data] },
          }));
          const own = Object.fromEntries(
            Object.entries(plain.own!).map(([key, { dims, data }]) => [key, { dims, data: [...data] }]),
          );
          change(typeof place === 'number' ? features[place]!.student.data : own[place]!.data);
          return loss.reference({ ...plain, features, own }, options);
        };
        const difference = (place: number | string, at: number): number => {
          const h = 1e-5;
          const by = (step: number): number =>
            changed((data) => {
              data[at]! += step;
            }, place);
          return (by(h) - by(-h)) / (2 * h);
        };
        for (const kernel of kernels) {
          const { loss: value, gradients } = await gradientsOn(kernel, program);
          assert.ok(close(value, expected, 1e-5), `${kernel.name}: ${value} against ${expected}`);
          for (const parameter of program.parameters) {
            const gradient = gradients.get(parameter.name)!;
            const place =
              parameter.owner === 'objective'
                ? parameter.name.slice(PREFIX.length)
                : Number(parameter.name.slice('student'.length));
            const scale = Math.max(1e-2, ...gradient.map(Math.abs));
            // All of a small tensor, some of a large one.
            const stride = Math.max(1, Math.floor(gradient.length / 60));
            for (let i = 0; i < gradient.length; i += stride) {
              const wanted = difference(place, i);
              assert.ok(
                Math.abs(gradient[i]! - wanted) <= 1e-3 * scale,
                `${kernel.name}, ${parameter.name}[${i}]: ${gradient[i]} against ${wanted}`,
              );
            }
          }
        }
      });

      test(`${title}: right, and its gradients finite, at equal, zero and huge features`, async () => {
        const random = randomPairs(sample);
        const all = (value: number) =>
          random.map((pair) => ({
            ...pair,
            student: { dims: pair.student.dims, data: pair.student.data.map(() => value) },
          }));
        const equal = random.map(({ student, teacher }) =>
          student.dims.join() === teacher.dims.join() ? { student: teacher, teacher } : { student, teacher },
        );
        const none = all(0).map(({ student, teacher }) => ({
          student,
          teacher: { dims: teacher.dims, data: teacher.data.map(() => 0) },
        }));
        for (const [what, pairs, relative] of [
          ['equal', equal, ROUNDING],
          ['zero', all(0), ROUNDING],
          ['none', none, ROUNDING],
          ['constant', all(1), NORMALISED[name] ?? ROUNDING],
          ['huge', randomPairs(sample, 1e4), ROUNDING],
        ] as const) {
          const program = featureProgram(loss, pairs, options);
          const expected = loss.reference(plainOf(loss, program, pairs), options);
          for (const kernel of kernels) {
            const { loss: value, gradients } = await gradientsOn(kernel, program);
            assert.ok(
              Math.abs(value - expected) <= relative * Math.abs(expected) + CANCELLED,
              `${kernel.name}, ${what}: ${value} against ${expected}`,
            );
            for (const [parameter, gradient] of gradients) {
              assert.ok(gradient.every(Number.isFinite), `${kernel.name}, ${what}: gradient of ${parameter}`);
            }
          }
        }
      });

      test(`${title}: a batch beside itself weighs as much as once`, async () => {
        const pairs = randomPairs(sample);
        const twice = ({ dims, data }: NumberArray): NumberArray => ({
          dims: [2 * dims[0]!, ...dims.slice(1)],
          data: [...data, ...data],
        });
        const copied = pairs.map(({ student, teacher }) => ({
          student: twice(student),
          teacher: twice(teacher),
        }));
        const one = loss.reference(plainOf(loss, featureProgram(loss, pairs, options), pairs), options);
        const program = featureProgram(loss, copied, options);
        const two = loss.reference(plainOf(loss, program, copied), options);
        const { loss: value } = await gradientsOn(kernels[0]!, program);
        assert.ok(close(value, two, 1e-5), `${value} against ${two} for two copies`);
        const allowed = TWICE[name] ?? 1e-6;
        assert.ok(Math.abs(two / one - 1) <= allowed, `${two} for two copies, ${one} for one`);
      });
    }
  }
}
