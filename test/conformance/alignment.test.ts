import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeatureUse, NumberArray } from '../../src/core/losses/features.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { numbers as numbersOf, sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { alignFeatures } from '../../src/core/program/align-features.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { type Adapter, alignedOf, pixelShares } from '../support/aligned-numbers.ts';
import { kernels } from '../support/kernels.ts';
import { lossProgram } from '../support/loss-program.ts';

/** How the student's tensors are brought to the teacher's shapes: both kernels against plain numbers, gradients, too. */

type Align = FeatureUse['align'];
type Dims = readonly number[];
/** What is trained: the student's tensor, and the adapter where there is one. */
type Places = Readonly<Record<'student' | 'weight' | 'bias', readonly number[]>>;

const SEED = 3;
const ADAPTER = 'objective/test/adapter.';
const ranks = [2, 3, 4];

const drawn = (dims: Dims, stream: string): number[] => {
  const random = new Random(SEED, stream);
  return Array.from({ length: sizeOf(dims) }, () => Math.fround(random.normal()));
};
const channelsOf = (dims: Dims): number => dims[dims.length === 4 ? 1 : dims.length - 1]!;

function aligned(student: Dims, teacher: Dims, align: Align, read: Dims = ranks) {
  const b = new GraphBuilder();
  const put = (name: string, dims: Dims): string =>
    b.initializer(name, tensor('float32', dims, drawn(dims, name)));
  const parts = new CollectedParts(b, SEED);
  const pair = { student: put('student', student), teacher: put('teacher', teacher) };
  const found = alignFeatures(b, pair, { align, ranks: read }, parts.of('test'), { loss: 'test', from: 't' });
  assert.equal(found.teacher, pair.teacher);
  return { b, put, parts, student: found.student };
}

/** mean (aligned - wanted)^2, by which the student's tensor and the adapter are trained. */
function programOf(student: Dims, teacher: Dims, align: Align, expected: Dims): Program {
  const { b, put, parts, student: made } = aligned(student, teacher, align);
  assert.deepEqual(b.dims(made), expected);
  const off = b.op('Sub', [made, put('wanted', expected)]);
  const value = b.op('ReduceMean', [b.op('Mul', [off, off])], { keepdims: 0 });
  const program = lossProgram(b, value, ['student'], parts);
  const initializers = new Map(program.graph.initializers);
  const bias = initializers.get(`${ADAPTER}bias`);
  // It starts at 0, where a bias in the wrong place is not seen.
  if (bias) initializers.set(`${ADAPTER}bias`, tensor('float32', bias.dims, drawn(bias.dims, 'bias')));
  return { ...program, graph: { ...program.graph, initializers } };
}

const placeOf = (parameter: string): keyof Places =>
  (parameter.startsWith(ADAPTER) ? parameter.slice(ADAPTER.length) : parameter) as keyof Places;

/** Weights of maps lie as [to, from, 1, 1], others as [from, to]. */
function adapterOf({ weight, bias }: Places, isMap: boolean): Adapter {
  const [to, from] = [bias.length, weight.length / bias.length];
  const at = (o: number, c: number): number => weight[isMap ? o * from + c : c * to + o]!;
  return { bias, weight: bias.map((_, o) => Array.from({ length: from }, (_, c) => at(o, c))) };
}

const cases: readonly (readonly [Align, Dims, Dims, Dims?])[] = [
  // Windows over both sides, over one, over all.
  ['shape', [2, 3, 4, 6], [2, 3, 2, 2]],
  ['shape', [2, 3, 4, 4], [2, 3, 4, 2]],
  ['shape', [2, 3, 6, 4], [2, 3, 1, 1]],
  // Fewer pixels, of which none or one side is a multiple; more; more of one only; more on one side and fewer on the other.
  ['shape', [2, 3, 5, 7], [2, 3, 3, 4]],
  ['shape', [2, 3, 4, 6], [2, 3, 2, 4]],
  ['shape', [2, 3, 2, 2], [2, 3, 4, 4]],
  ['shape', [2, 3, 3, 3], [2, 3, 7, 7]],
  ['shape', [2, 3, 1, 1], [2, 3, 3, 2]],
  ['shape', [2, 3, 2, 6], [2, 3, 4, 3]],
  // Channels, alone and besides.
  ['shape', [2, 3, 4, 4], [2, 5, 4, 4]],
  ['shape', [2, 3, 4, 4], [2, 5, 2, 2]],
  ['shape', [2, 5, 5, 7], [2, 2, 3, 4]],
  ['shape', [2, 3, 2, 3], [2, 4, 5, 4]],
  ['shape', [2, 4, 3], [2, 4, 5]],
  ['shape', [4, 3], [4, 5]],
  // Maps beside vectors.
  ['shape', [2, 3, 4, 5], [2, 3]],
  ['shape', [2, 3, 4, 5], [2, 6]],
  // Nothing to be done, and channels that are left alone.
  ['shape', [4, 3], [4, 3]],
  ['positions', [2, 3, 4, 4], [2, 5, 2, 2], [2, 3, 2, 2]],
  ['positions', [2, 3, 5, 7], [2, 5, 3, 4], [2, 3, 3, 4]],
  ['positions', [2, 4, 3], [2, 4, 5], [2, 4, 3]],
  ['none', [2, 3, 4, 4], [2, 5], [2, 3, 4, 4]],
];

for (const [align, student, teacher, expected = teacher] of cases) {
  test(`${align}: [${student}] beside [${teacher}], values and gradients of both kernels`, async () => {
    const program = programOf(student, teacher, align, expected);
    const isAdapted = channelsOf(expected) !== channelsOf(student);
    const start = Object.fromEntries(
      program.parameters.map(({ name }) => [placeOf(name), numbersOf(program.graph.initializers.get(name)!)]),
    ) as unknown as Places;
    const wanted = drawn(expected, 'wanted');
    const lossAt = (places: Places): number => {
      const adapter = isAdapted ? adapterOf(places, expected.length === 4) : undefined;
      const made: NumberArray = alignedOf({ dims: student, data: places.student }, expected, adapter);
      assert.deepEqual(made.dims, expected);
      return made.data.reduce((sum, v, i) => sum + (v - wanted[i]!) ** 2, 0) / made.data.length;
    };
    const value = lossAt(start);
    for (const kernel of kernels) {
      const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
      const one = { dtype: 'float32' as const, dims: [1, 1], data: Float32Array.of(1) };
      const { loss, gradients } = await trainer.gradients({ steps: 1, feeds: { one }, scalars: {} });
      await trainer.close();
      assert.ok(Math.abs(loss - value) <= 1e-6 * Math.max(1, value), `${kernel.name}: ${loss}, ${value}`);
      assert.equal(gradients.size, isAdapted ? 3 : 1);
      for (const [parameter, gradient] of gradients) {
        const place = placeOf(parameter);
        const scale = Math.max(...gradient.map(Math.abs));
        assert.ok(scale > 1e-3, `${kernel.name}: ${parameter} is not taught`);
        gradient.forEach((g, i) => {
          const moved = (by: number): number =>
            lossAt({ ...start, [place]: start[place].with(i, start[place][i]! + by) });
          // Of a square the central difference is the derivative, however long the step.
          const difference = moved(0.5) - moved(-0.5);
          assert.ok(
            Math.abs(g - difference) <= 5e-6 * scale,
            `${kernel.name}, ${parameter}[${i}]: ${g}, ${difference}`,
          );
        });
      }
    }
  });
}

test('the reference has pixels at halves, and the last ones go on beyond their centres', () => {
  const line = (values: Dims, to: number, isAveraged: boolean): number[] =>
    Array.from({ length: to }, (_, k) =>
      pixelShares(k, values.length, to, isAveraged).reduce((sum, share, p) => sum + share * values[p]!, 0),
    );
  const near = (found: Dims, by: Dims): void =>
    found.forEach((v, i) => void assert.ok(Math.abs(v - by[i]!) < 1e-12, `${found}`));
  near(line([0, 1], 4, false), [0, 0.25, 0.75, 1]);
  near(line([0, 1, 2, 3], 3, false), [1 / 6, 1.5, 17 / 6]);
  near(line([1, 2, 3, 10], 2, true), [1.5, 6.5]);
});

test('an adapter starts at std sqrt(2 / channels in) and bias 0', () => {
  for (const [student, teacher] of [
    [
      [2, 60, 2, 2],
      [2, 90, 2, 2],
    ],
    [
      [2, 4, 60],
      [2, 4, 90],
    ],
    [
      [2, 60],
      [2, 90],
    ],
  ] as const) {
    const { b } = aligned(student, teacher, 'shape');
    const [weight, bias] = ['weight', 'bias'].map((name) => numbersOf(b.initializers.get(ADAPTER + name)!));
    assert.equal(weight!.length, 60 * 90);
    const std = Math.sqrt(weight!.reduce((sum, w) => sum + w * w, 0) / weight!.length);
    assert.ok(Math.abs(std / Math.sqrt(2 / 60) - 1) < 0.05, `${std}`);
    assert.ok(bias!.length === 90 && bias!.every((each) => each === 0));
  }
});

test('what cannot be brought together is refused with both shapes and what to do', () => {
  for (const [align, student, teacher, why, read] of [
    ['shape', [2, 7, 8], [2, 9, 8], /their sequences are not equally long/],
    ['positions', [2, 7, 8], [2, 9, 4], /their sequences are not equally long/],
    ['shape', [2, 8], [2, 3, 4, 4], /their ranks differ/],
    ['shape', [2, 7, 8], [2, 8], /their ranks differ/],
    ['positions', [2, 3, 4, 4], [2, 3], /their ranks differ/],
    ['same', [2, 3, 4, 4], [2, 3, 4, 2], /their shapes differ/],
    ['shape', [2, 3, 4, 4], [2, 3], /it reads tensors of rank 4/, [4]],
    ['none', [2, 3, 4, 4], [2, 3], /it reads tensors of rank 3 or 4/, [3, 4]],
  ] as const) {
    assert.throws(() => aligned(student, teacher, align, read), {
      code: 'SPEC_INVALID',
      message: new RegExp(
        `"test" cannot compare the student's "student" \\[${student.join(', ')}\\] with the teacher's "t" \\[${teacher.join(', ')}\\]: ${why.source}`,
      ),
      hint: /"from" and "to"/,
    });
  }
});
