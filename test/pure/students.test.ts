import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '../../src/core/onnx/model.ts';
import { sizeOf } from '../../src/core/onnx/tensor.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { trainableNames } from '../../src/core/program/trainable.ts';
import { students } from '../../src/core/students/index.ts';
import type { StudentArchitecture, StudentPort } from '../../src/core/students/student.ts';

const port: StudentPort = { input: 'pixels', inputShape: [3, 32, 32], output: 'scores', classes: 10 };

const parameterCount = (model: Model) =>
  trainableNames(model.graph).reduce(
    (sum, name) => sum + sizeOf(model.graph.initializers.get(name)!.dims),
    0,
  );

test('ResNet-8 of width 16 has the 78,042 parameters of the literature', () => {
  assert.equal(parameterCount(students.resnet.build(port, { depth: 8, width: 16 }, 0)), 78_042);
});

for (const [name, entry] of Object.entries(students)) {
  const architecture: StudentArchitecture = entry;
  const smallest = architecture.ladder(port)[0]!;

  test(`${name}: the ladder goes from small to large`, () => {
    const sizes = architecture
      .ladder(port)
      .map((options) => parameterCount(architecture.build(port, options, 0)));
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
    );
  });

  test(`${name}: reads and returns what the port says, with a dynamic batch`, () => {
    const { graph } = architecture.build(port, smallest, 0);
    assert.deepEqual(
      graph.inputs.map(({ name, shape }) => [name, shape]),
      [['pixels', ['N', 3, 32, 32]]],
    );
    assert.deepEqual(
      graph.outputs.map(({ name, shape }) => [name, shape]),
      [['scores', ['N', 10]]],
    );
  });

  test(`${name}: equal seeds give equal weights, another seed other ones`, () => {
    const weights = (seed: number) =>
      [...architecture.build(port, smallest, seed).graph.initializers.values()].map((t) =>
        Buffer.from(t.bytes).toString('hex'),
      );
    assert.deepEqual(weights(1), weights(1));
    assert.notDeepEqual(weights(1), weights(2));
  });

  test(`${name}: joins with the objective into a Program of static shapes`, () => {
    const program = buildProgram({
      student: architecture.build(port, smallest, 0),
      terms: [
        { loss: 'kl', weight: 0.9, temperature: 4, options: { standardize: false } },
        { loss: 'cross-entropy', weight: 0.1, options: {} },
      ],
      batchSize: 6,
      optimizer: { name: 'sgd', options: {} },
    });
    assert.deepEqual(
      program.batch.map(({ name, dims }) => [name, dims]),
      [
        ['pixels', [6, 3, 32, 32]],
        ['labels', [6, 10]],
        ['teacher_logits', [6, 10]],
      ],
    );
    assert.deepEqual(program.metrics, ['term:kl', 'term:cross-entropy']);
    assert.ok(program.graph.outputs.every(({ shape }) => shape?.every((dim) => typeof dim === 'number')));
  });
}

test('dropout becomes declared noise', () => {
  const student = students.mlp.build({ ...port, inputShape: [8] }, { hidden: [16], dropout: 0.25 }, 0);
  const program = buildProgram({
    student,
    terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
    batchSize: 4,
    optimizer: { name: 'sgd', options: {} },
  });
  assert.deepEqual(
    program.noise.map(({ distribution, dims }) => [distribution, dims]),
    [['uniform', [4, 16]]],
  );
  assert.ok(!program.graph.nodes.some((node) => node.op === 'Dropout'));
});

test('picture networks refuse rows of features and say why', () => {
  assert.match(students.resnet.refuses({ ...port, inputShape: [14] }) ?? '', /needs pictures/);
});

test('a student that nobody could train is refused before its parameters are drawn', () => {
  const wide = { hidden: [65_536, 65_536], dropout: 0 };
  assert.throws(() => students.mlp.build({ ...port, inputShape: [8] }, wide, 0), { code: 'STUDENT_UNFIT' });
});
