import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphAttribute } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { gradientProgram } from '../../src/core/program/gradient-program.ts';
import { loopGraph, STEPS_INPUT } from '../../src/core/program/loop.ts';
import { lowerStep } from '../../src/core/program/lower.ts';
import { noiseFor } from '../../src/core/program/noise.ts';
import { stepScalars } from '../../src/core/program/step-scalars.ts';
import { packUnits, unitDims } from '../../src/core/program/units.ts';
import { students } from '../../src/core/students/index.ts';

const zeros = (dims: readonly number[]) =>
  tensor('float32', dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));

const program = (adam = false) =>
  buildProgram({
    student: students.resnet.build(
      { input: 'x', inputShape: [3, 8, 8], output: 'logits', classes: 4 },
      { depth: 8, width: 4 },
      1,
    ),
    terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
    batchSize: 4,
    optimizer: { name: adam ? 'adam' : 'sgd', options: {} },
    ema: { decay: 0.9 },
  });

test('small tensors with equal rates share a unit, end to end; large ones stand alone with their own shape', () => {
  const units = packUnits([
    { name: 'a', value: zeros([2, 3]), key: { rate: 1 } },
    { name: 'b', value: zeros([4]), key: { rate: 2 } },
    { name: 'c', value: zeros([300, 300]), key: { rate: 1 } },
    { name: 'd', value: zeros([5]), key: { rate: 1 } },
  ]);
  assert.deepEqual(
    units.map((unit) => unit.members.map(({ name, offset, size }) => [name, offset, size])),
    [
      [
        ['a', 0, 6],
        ['d', 6, 5],
      ],
      [['b', 0, 4]],
      [['c', 0, 90_000]],
    ],
  );
  assert.deepEqual(units.map(unitDims), [[11], [4], [300, 300]]);
});

test('one step updates all small parameters of a network at once', () => {
  const step = lowerStep(program(), 'ort-cpu');
  const names = step.carried.flatMap(({ members }) => members.map(({ name }) => name));
  const velocities = step.carried.filter(({ members }) => members[0]!.name.startsWith('slot:velocity:'));
  assert.equal(velocities.length, 1);
  assert.equal(new Set(names).size, names.length, 'every tensor of a snapshot is carried once');
  for (const { name } of program().parameters) {
    for (const kept of [name, `slot:velocity:${name}`, `ema:${name}`]) assert.ok(names.includes(kept), kept);
  }
  for (const { initial } of program().state) {
    for (const kept of [initial, `ema:${initial}`]) assert.ok(names.includes(kept), kept);
  }
});

test('training graphs use the default domain only', () => {
  for (const target of ['ort-cpu', 'ort-cuda'] as const) {
    const domains = new Set(lowerStep(program(), target).graph.nodes.map(({ domain }) => domain));
    assert.deepEqual([...domains], ['']);
  }
});

test('a step computes nothing that nobody reads: onnxruntime would', () => {
  const b = new GraphBuilder();
  const weights = [3, 2].map((size, i) => b.initializer(`w${i}`, zeros([1, 8, size])));
  const x = b.input('x', 'float32', [4, 1, 3]);
  b.output(b.ops('LSTM', [x, ...weights], { hidden_size: 2 }, { outputs: ['y'] })[0]!);
  const recurrent = gradientProgram({
    model: b.model(),
    shapes: {},
    parameters: ['w0', 'w1'],
    training: true,
  });
  const { graph } = lowerStep(recurrent, 'ort-cpu');
  const read = new Set([...graph.outputs.map(({ name }) => name), ...graph.nodes.flatMap((n) => n.inputs)]);
  const idle = graph.nodes.filter(({ outputs }) => !outputs.some((name) => read.has(name)));
  assert.deepEqual(
    idle.map(({ op }) => op),
    [],
  );
});

test('for CUDA no BatchNormalization is left in training mode', () => {
  const training = lowerStep(program(), 'ort-cuda').graph.nodes.filter(
    (node) => node.op === 'BatchNormalization' && node.attributes.training_mode,
  );
  assert.deepEqual(training, []);
});

test('the loop carries what the step carries, stacks its data and scans its results', () => {
  const step = lowerStep(program(), 'ort-cpu');
  const graph = loopGraph(step);
  assert.equal(graph.nodes.length, 1);
  const body = graphAttribute(graph.nodes[0]!, 'body')!;
  assert.equal(body.inputs.length, 2 + step.carried.length);
  assert.equal(body.outputs.length, 1 + step.carried.length + step.results.length);
  const [first] = step.data;
  const all = graph.inputs.find(({ name }) => name === `all:${first!.name}`)!;
  assert.deepEqual(all.shape, [STEPS_INPUT, ...first!.dims]);
});

test('noise depends on seed, stream and step alone', () => {
  const input = { name: 'n', dtype: 'float32', dims: [3, 50], stream: 's', distribution: 'uniform' } as const;
  const whole = noiseFor(input, 1, 0, 10);
  assert.deepEqual(noiseFor(input, 1, 4, 3), whole.slice(4 * 150, 7 * 150));
  assert.notDeepEqual(noiseFor(input, 2, 0, 10), whole);
  assert.notDeepEqual(noiseFor({ ...input, stream: 't' }, 1, 0, 10), whole);
  assert.notDeepEqual(whole.slice(0, 150), whole.slice(150, 300));
});

test('noise has the moments of its distribution', () => {
  const moments = (data: Float32Array) => {
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    return [mean, data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length] as const;
  };
  const input = { name: 'n', dtype: 'float32', dims: [100, 100], stream: 's' } as const;
  const uniform = noiseFor({ ...input, distribution: 'uniform' }, 1, 0, 4);
  const [mean, variance] = moments(uniform);
  assert.ok(Math.abs(mean - 0.5) < 0.005 && Math.abs(variance - 1 / 12) < 0.002, `${mean}, ${variance}`);
  assert.ok(uniform.every((u) => u >= 0 && u < 1));
  const [centre, spread] = moments(noiseFor({ ...input, distribution: 'normal' }, 1, 0, 4));
  assert.ok(Math.abs(centre) < 0.02 && Math.abs(spread - 1) < 0.03, `${centre}, ${spread}`);
});

test('derived scalars count steps over the whole run, not within the chunk', () => {
  const scalars = { learning_rate: new Float32Array(2), momentum: new Float32Array(2).fill(0.9) };
  const made = stepScalars(program(true), { steps: 2, feeds: {}, scalars }, 3);
  assert.deepEqual(made.bias1, Float32Array.of(1 - Math.fround(0.9) ** 4, 1 - Math.fround(0.9) ** 5));
});
