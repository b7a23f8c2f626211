import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbers } from '../../src/core/onnx/tensor.ts';
import { buildProgram, type ObjectiveTerm } from '../../src/core/program/build-program.ts';
import type { Snapshot } from '../../src/core/program/kernel.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { students } from '../../src/core/students/index.ts';
import { kernels } from '../support/kernels.ts';
import { chunkOf } from '../support/training.ts';

/** What an objective holds itself is trained, carried and resumed like the student, on every kernel. */

const [B, C, WIDTH] = [4, 3, 6];
const student = students.mlp.build(
  { input: 'x', inputShape: [5], output: 'logits', classes: C },
  { hidden: [8], dropout: 0 },
  1,
);
const hidden = student.graph.nodes.find(({ op }) => op === 'Relu')!.outputs[0]!;

const programOf = (term: Pick<ObjectiveTerm, 'loss' | 'options'>): Program =>
  buildProgram({
    student,
    terms: [{ ...term, weight: 1, from: ['tap'], to: [hidden] }],
    taps: [{ name: 'tap', dims: [WIDTH] }],
    batchSize: B,
    optimizer: {
      name: 'adam',
      options: { learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    },
    seed: 3,
  });

const batch = (step: number): Record<string, Float32Array> => {
  const random = new Random(5, 'rows', step);
  const x = Float32Array.from({ length: B * 5 }, () => random.normal());
  // The teacher's numbers follow from the row, one of them not at all.
  const tap = Float32Array.from({ length: B * WIDTH }, (_, i) => {
    const [row, c] = [Math.floor(i / WIDTH), i % WIDTH];
    return c === 0 ? 3 * random.normal() : x[row * 5 + (c % 5)]!;
  });
  return { x, teacher_features_0: tap };
};

const own = (snapshot: Snapshot, name: string): number[] => {
  const found = [...snapshot.tensors].find(([key]) => key.startsWith('objective/') && key.endsWith(name));
  assert.ok(found, name);
  return numbers(found[1]);
};

test('banks of crd that no memory holds are refused, not made', () => {
  const options = { dimensions: 2, negatives: 3, sharpness: 0.5, among: 'any-rows' };
  for (const size of [{ negatives: 1_000_000_000 }, { dimensions: 1_000_000_000 }]) {
    assert.throws(() => programOf({ loss: 'crd', options: { ...options, ...size } }), {
      code: 'SPEC_INVALID',
      message: /"crd" would keep banks of/,
      hint: /fewer "negatives".*or "dimensions"/,
    });
  }
});

for (const kernel of kernels) {
  const opened = async (program: Program, snapshot?: Snapshot) =>
    kernel.open(program, { device: 'cpu', threads: 1, seed: 0, ...(snapshot ? { snapshot } : {}) });

  test(`${kernel.name}: vid trains its variances, each to the error of its channel`, async () => {
    const program = programOf({ loss: 'vid', options: { variance: 5 } });
    const trainer = await opened(program);
    const { loss } = await trainer.run(chunkOf(program, batch, 0, 300));
    const variances = own(await trainer.snapshot(), '.theta').map((theta) => Math.log1p(Math.exp(theta)));
    await trainer.close();
    assert.ok(loss.at(-1)! < loss[0]! - 0.3, `${loss[0]} to ${loss.at(-1)}`);
    // Noise of variance 9 cannot be told from the row; the others can.
    assert.ok(variances[0]! > 4, `${variances}`);
    assert.ok(
      variances.slice(1).every((variance) => variance < 2),
      `${variances}`,
    );
  });

  test(`${kernel.name}: crd keeps the last embeddings of both sides, newest first, and resumes with them`, async () => {
    const options = { dimensions: 4, negatives: 10, sharpness: 0.5, among: 'any-rows' };
    const program = programOf({ loss: 'crd', options });
    const trainer = await opened(program);
    const banks = [own(await trainer.snapshot(), 'teacher-bank')];
    for (let step = 0; step < 3; step++) {
      await trainer.run(chunkOf(program, batch, step, 1));
      banks.push(own(await trainer.snapshot(), 'teacher-bank'));
    }
    for (const [i, bank] of banks.entries()) {
      for (let row = 0; row < 10; row++) {
        const length = Math.hypot(...bank.slice(row * 4, row * 4 + 4));
        assert.ok(Math.abs(length - 1) < 1e-5, `${length}`);
      }
      if (i > 0) assert.deepEqual(bank.slice(B * 4), banks[i - 1]!.slice(0, (10 - B) * 4));
    }
    const middle = await trainer.snapshot();
    const expected = await trainer.run(chunkOf(program, batch, 3, 4));
    await trainer.close();
    const resumed = await opened(program, middle);
    assert.deepEqual(await resumed.run(chunkOf(program, batch, 3, 4)), expected);
    await resumed.close();
  });

  test(`${kernel.name}: a bank that is smaller than a batch holds its first rows`, async () => {
    const program = programOf({
      loss: 'crd',
      options: { dimensions: 4, negatives: 3, sharpness: 0.5, among: 'any-rows' },
    });
    const trainer = await opened(program);
    await trainer.run(chunkOf(program, batch, 0, 2));
    assert.equal(own(await trainer.snapshot(), 'student-bank').length, 12);
    await trainer.close();
  });
}

test('mgd masks other positions at every step, the same ones on both kernels', async () => {
  const { graph } = students['conv-net'].build(
    { input: 'x', inputShape: [1, 4, 4], output: 'logits', classes: C },
    { widths: [3], dropout: 0 } as never,
    1,
  );
  const map = graph.nodes.find(({ op }) => op === 'Relu')!.outputs[0]!;
  const program = buildProgram({
    student: { ...student, graph },
    terms: [{ loss: 'mgd', weight: 1, options: { ratio: 0.65 }, from: ['tap'], to: [map] }],
    taps: [{ name: 'tap', dims: [2, 4, 4] }],
    batchSize: B,
    // Nothing moves: what differs from step to step is the mask alone.
    optimizer: {
      name: 'sgd',
      options: { learningRate: 1e-12, momentum: 0, nesterov: false, weightDecay: 0 },
    },
  });
  const same = (): Record<string, Float32Array> => {
    const random = new Random(5, 'maps');
    const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
    return { x: draw(B * 16), teacher_features_0: draw(B * 32) };
  };
  const seen: number[][] = [];
  for (const kernel of kernels) {
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    seen.push([...(await trainer.run(chunkOf(program, same, 0, 4))).loss]);
    await trainer.close();
  }
  assert.ok(new Set(seen[0]).size === 4, `${seen[0]}`);
  for (const losses of seen) {
    for (const [i, loss] of losses.entries()) assert.ok(Math.abs(loss - seen[0]![i]!) < 1e-4 * loss);
  }
});
