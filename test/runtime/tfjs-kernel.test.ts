import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { feedSteps } from '../../bench/train/feed-steps.ts';
import { decodeStart, encodeStart } from '../../bench/train/start.ts';
import { programOf, workloads } from '../../bench/train/workloads.ts';
import { loadBackend } from '../../src/adapters/kernels/tfjs/backend.ts';
import { Interpreter } from '../../src/adapters/kernels/tfjs/interpreter.ts';
import { tfjsKernel } from '../../src/adapters/kernels/tfjs/kernel.ts';
import { Laid } from '../../src/adapters/kernels/tfjs/layout.ts';
import { unfoldedConv } from '../../src/adapters/kernels/tfjs/operators/convolutions.ts';
import { nativeConv } from '../../src/adapters/kernels/tfjs/operators/native-convolutions.ts';
import { windowsOf } from '../../src/adapters/kernels/tfjs/operators/windows.ts';
import { toAttribute } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Node } from '../../src/core/onnx/model.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { Random } from '../../src/core/random.ts';
import { students } from '../../src/core/students/index.ts';
import { chunkOf, classBatches, relativeError } from '../support/training.ts';

/** What is the tfjs kernel's own; what both kernels must do alike is in conformance/kernels.test.ts. */

before(() => loadBackend());

const drawn = (shape: number[], stream: string): tf.Tensor => {
  const random = new Random(3, stream);
  const size = shape.reduce((n, dim) => n * dim, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

const small = () =>
  buildProgram({
    student: students.resnet.build(
      { input: 'x', inputShape: [3, 8, 8], output: 'logits', classes: 4 },
      { depth: 8, width: 2 },
      1,
    ),
    terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
    batchSize: 4,
    optimizer: { name: 'adamw', options: {} },
    clipNorm: 1,
    ema: { decay: 0.9 },
  });

test('says which backend runs, and why not libtensorflow where it does not', async () => {
  const { name, note } = await loadBackend();
  assert.equal(tf.getBackend(), name);
  if (name === 'cpu') assert.match(note, /tfjs-node is (not installed|installed but does not load)/);
});

test('runs where node:util lacks the functions that Node 23 removed', async (t) => {
  if ((await loadBackend()).name === 'cpu') return t.skip('no tfjs-node (npm run setup:tfjs)');
  const backend = new URL('../../src/adapters/kernels/tfjs/backend.ts', import.meta.url).href;
  const program = `
        for (const name of ['isArray', 'isNullOrUndefined']) delete util[name];
    const tf = await import('@tensorflow/tfjs-core');
    await (await import('${backend}')).loadBackend();
    console.log(tf.concat([tf.ones([1]), tf.zeros([1])]).dataSync().join());
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(stdout, '1,0\n', stderr);
});

test('keeps no tensors from step to step and none after closing', async () => {
  const before = tf.memory().numTensors;
  const program = small();
  const batch = classBatches(program, 4);
  const trainer = await tfjsKernel.open(program, { device: 'cpu', threads: 1, seed: 1 });
  await trainer.run(chunkOf(program, batch, 0, 1));
  await trainer.gradients(chunkOf(program, batch, 1, 1));
  const warm = tf.memory().numTensors;
  await trainer.run(chunkOf(program, batch, 1, 3));
  await trainer.gradients(chunkOf(program, batch, 4, 1));
  assert.equal(tf.memory().numTensors, warm);
  await trainer.close();
  assert.equal(tf.memory().numTensors, before);
});

test('keeps no tensors over a thousand steps, and no memory on the backend', async () => {
  const program = buildProgram({
    student: students['conv-net'].build(
      { input: 'x', inputShape: [1, 4, 4], output: 'logits', classes: 2 },
      { widths: [2], head: 'flatten' },
      1,
    ),
    terms: [{ loss: 'cross-entropy', weight: 1, options: {} }],
    batchSize: 2,
    optimizer: { name: 'adam', options: {} },
  });
  const batch = classBatches(program, 2);
  const trainer = await tfjsKernel.open(program, { device: 'cpu', threads: 1, seed: 1 });
  await trainer.run(chunkOf(program, batch, 0, 8));
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  for (let step = 0; step < 1000; step += 8) await trainer.run(chunkOf(program, batch, step, 8));
  const after = tf.memory();
  assert.deepEqual(
    [after.numTensors, after.numDataBuffers, after.numBytes],
    [numTensors, numDataBuffers, numBytes],
  );
  await trainer.close();
});

test('reads nothing back from the backend but the results, once a run', async (t) => {
  if ((await loadBackend()).name === 'cpu') return t.skip('no tfjs-node (npm run setup:tfjs)');
  const program = small();
  const batch = classBatches(program, 4);
  const trainer = await tfjsKernel.open(program, { device: 'cpu', threads: 1, seed: 1 });
  const read = t.mock.method(tf.backend(), 'readSync');
  await trainer.run(chunkOf(program, batch, 0, 5));
  assert.equal(read.mock.callCount(), 1);
  await trainer.close();
});

test('gradients change nothing', async () => {
  const program = small();
  const batch = classBatches(program, 4);
  const losses = async (look: boolean) => {
    const trainer = await tfjsKernel.open(program, { device: 'cpu', threads: 1, seed: 1 });
    if (look) await trainer.gradients(chunkOf(program, batch, 7, 1));
    const { loss } = await trainer.run(chunkOf(program, batch, 0, 2));
    await trainer.close();
    return loss;
  };
  assert.deepEqual(await losses(true), await losses(false));
});

test('the two formulations of a convolution agree in value and gradients', async (t) => {
  if ((await loadBackend()).name === 'cpu') return t.skip('no tfjs-node (npm run setup:tfjs)');
  const cases = [
    { x: [2, 3, 6, 5], w: [4, 3, 3, 2], group: 1, attributes: { strides: [2, 1], pads: [1, 0, 2, 1] } },
    { x: [2, 3, 6, 6], w: [6, 1, 3, 3], group: 3, attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } },
    { x: [1, 2, 5, 5], w: [3, 2, 1, 1], group: 1, attributes: {} },
    { x: [2, 4, 7, 8], w: [6, 2, 3, 3], group: 2, attributes: { pads: [1, 1, 1, 1] } },
    { x: [2, 3, 6, 6], w: [6, 1, 3, 3], group: 3, attributes: { strides: [2, 1], pads: [1, 1, 1, 1] } },
    { x: [2, 3, 9, 8], w: [4, 3, 3, 2], group: 1, attributes: { dilations: [2, 3], pads: [2, 1, 0, 1] } },
    {
      x: [2, 4, 9, 8],
      w: [4, 1, 3, 3],
      group: 4,
      attributes: { dilations: [2, 2], strides: [2, 2], pads: [2, 2, 2, 2] },
    },
    { x: [2, 3, 11], w: [4, 3, 3], group: 1, attributes: { dilations: [4], pads: [8, 0] } },
    { x: [2, 4, 11], w: [8, 1, 3], group: 4, attributes: { strides: [2], pads: [1, 1] } },
    { x: [1, 2, 4, 5, 6], w: [3, 2, 2, 3, 3], group: 1, attributes: { strides: [1, 2, 1] } },
    { x: [1, 4, 4, 5, 4], w: [6, 2, 2, 3, 3], group: 2, attributes: { pads: [1, 1, 0, 0, 1, 2] } },
  ];
  for (const { x, w, group, attributes } of cases) {
    const inputs = [drawn(x, 'x'), drawn(w, 'w')] as const;
    const entries = Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)]);
    const node: Node = {
      op: 'Conv',
      domain: '',
      name: '',
      inputs: [],
      outputs: [],
      attributes: Object.fromEntries(entries),
    };
    const windows = windowsOf(node, x.slice(2), w.slice(2));
    const results = [nativeConv, unfoldedConv].map((conv) => {
      const run = (a: tf.Tensor, b: tf.Tensor) => conv(new Laid(a), b, windows, group).in('first');
      const y = run(...inputs);
      const dy = drawn(y.shape, 'dy');
      const grads = tf.grads((a, b) => run(a!, b!))([...inputs], dy);
      return [y, ...grads].map((value) => [...value.dataSync()]);
    });
    results[0]!.forEach((value, i) => {
      const error = relativeError(value, results[1]![i]!);
      assert.ok(error < 1e-5, `${JSON.stringify(attributes)}, result ${i}: ${error}`);
    });
  }
});

/** Gradient of sum(dy * op(x)) by x, dy = 1, 2, 3, ... */
function gradientOf(
  op: string,
  dims: number[],
  values: number[],
  attributes: Record<string, number | number[]>,
) {
  const b = new GraphBuilder();
  const y = b.op(op, [b.input('x', 'float32', dims)], attributes);
  b.output(y);
  const interpreter = new Interpreter(b.build());
  const run = (x: tf.Tensor) => interpreter.run(new Map([['x', x]])).get(y)!;
  const x = tf.tensor(values, dims);
  const { shape, size } = run(x);
  const dy = tf.tensor(
    Array.from({ length: size }, (_, i) => i + 1),
    shape,
  );
  return [
    ...tf
      .grad((v) => run(v))(x, dy)
      .dataSync(),
  ];
}

test('ties give the gradient to the first winner only', () => {
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  assert.deepEqual(
    gradientOf('MaxPool', [1, 1, 2, 4], [0, 0, 3, 5, 0, 0, 5, 1], pool),
    [1, 0, 0, 2, 0, 0, 0, 0],
  );
  assert.deepEqual(
    gradientOf('MaxPool', [1, 1, 2, 3], [0, 9, 0, 5, 9, 5], { kernel_shape: [2, 2], dilations: [1, 2] }),
    [0, 0, 0, 1, 0, 0],
  );
  assert.deepEqual(gradientOf('ReduceMax', [2, 3], [1, 1, 0, 2, 3, 3], { keepdims: 0 }), [0, 0, 0, 0, 1, 0]);
  assert.deepEqual(gradientOf('ReduceMin', [1, 3], [1, 0, 0], { keepdims: 1 }), [0, 1, 0]);
});

test('kinks have the slope of the conventions: Relu and Abs zero at zero', () => {
  assert.deepEqual(gradientOf('Relu', [3], [-1, 0, 1], {}), [0, 0, 3]);
  assert.deepEqual(gradientOf('Abs', [3], [-1, 0, 1], {}), [-1, 0, 3]);
});

test('what is not a number stays so', () => {
  for (const [op, attributes] of [
    ['Relu', {}],
    ['MaxPool', { kernel_shape: [2] }],
    ['MaxPool', { kernel_shape: [2], dilations: [2], pads: [1, 1] }],
    ['ReduceMax', {}],
    ['Sqrt', {}],
  ] as const) {
    const b = new GraphBuilder();
    const y = b.op(op, [b.input('x', 'float32', [1, 1, 2])], attributes);
    b.output(y);
    const x = tf.tensor([1, Number.NaN], [1, 1, 2]);
    const seen = new Interpreter(b.build()).run(new Map([['x', x]])).get(y)!;
    assert.ok([...seen.dataSync()].some(Number.isNaN), op);
  }
});

test('BatchNormalization in training mode keeps the biased variance', () => {
  const b = new GraphBuilder();
  const names = ['scale', 'bias', 'mean', 'variance'].map((name, i) =>
    b.initializer(name, tensor('float32', [1], [[1, 0, 0.5, 2][i]!])),
  );
  const outputs = b.ops(
    'BatchNormalization',
    [b.input('x', 'float32', [4, 1]), ...names],
    { training_mode: 1 },
    { outputs: 3 },
  );
  b.output(...outputs);
  const made = new Interpreter(b.build()).run(new Map([['x', tf.tensor([1, 2, 3, 6], [4, 1])]]));
  const [y, mean, variance] = outputs.map((name) => [...made.get(name)!.dataSync()]) as [
    number[],
    number[],
    number[],
  ];
  // Mean 3, squared deviations 4 + 1 + 0 + 9 over four.
  assert.ok(Math.abs(mean[0]! - (0.9 * 0.5 + 0.1 * 3)) < 1e-6);
  assert.ok(Math.abs(variance[0]! - (0.9 * 2 + 0.1 * 3.5)) < 1e-6);
  assert.ok(Math.abs(y[3]! - 3 / Math.sqrt(3.5 + 1e-5)) < 1e-5);
});

test('refuses what it cannot do: operators by name, int64 beyond int32, float64, other devices', async () => {
  const graphOf = (build: (b: GraphBuilder) => string) => {
    const b = new GraphBuilder();
    b.output(build(b));
    return b.build();
  };
  const lacks = graphOf((b) => b.op('Gelu', [b.input('x', 'float32', [2])]));
  assert.throws(() => new Interpreter(lacks), { code: 'TRAIN_UNSUPPORTED', message: /no operator Gelu/ });
  const indices = graphOf((b) => {
    const x = b.input('x', 'float32', [1, 1, 2]);
    return b.ops('MaxPool', [x], { kernel_shape: [2] }, { outputs: 2 })[1]!;
  });
  assert.throws(() => new Interpreter(indices).run(new Map([['x', tf.zeros([1, 1, 2])]])), {
    code: 'TRAIN_UNSUPPORTED',
    message: /output 1 of MaxPool/,
  });
  const wide = graphOf((b) => b.op('Add', [b.input('x', 'int64', [1]), b.ints([2 ** 31])]));
  assert.throws(() => new Interpreter(wide).run(new Map([['x', tf.tensor1d([1], 'int32')]])), {
    code: 'TRAIN_UNSUPPORTED',
    message: /2147483648, which does not fit int32/,
  });
  const double = graphOf((b) => b.op('Cast', [b.input('x', 'float32', [1])], { to: 11 }));
  assert.throws(() => new Interpreter(double).run(new Map([['x', tf.tensor1d([1])]])), {
    code: 'TRAIN_UNSUPPORTED',
    message: /float64/,
  });
  await assert.rejects(tfjsKernel.open(small(), { device: 'cuda', threads: 1, seed: 1 }), {
    code: 'RUNTIME_UNAVAILABLE',
  });
});

test('a loss that is not finite ends the run and names the step', async () => {
  const program = small();
  const trainer = await tfjsKernel.open(program, { device: 'cpu', threads: 1, seed: 1 });
  const chunk = chunkOf(program, classBatches(program, 4), 0, 2);
  (chunk.feeds.x!.data as Float32Array)[chunk.feeds.x!.data.length - 1] = Number.NaN;
  await assert.rejects(trainer.run(chunk), { code: 'TRAIN_DIVERGED', message: /step 1/ });
  await trainer.close();
});

test('an index out of range ends the run and names the operator', async () => {
  const small = { ...workloads.gru!, batch: 2, dims: [3] };
  const started = decodeStart(encodeStart(programOf(small), small), programOf(small));
  const trainer = await tfjsKernel.open(started.program, { device: 'cpu', threads: 1, seed: 1 });
  const chunk = feedSteps(started, 2);
  (chunk.feeds.input!.data as BigInt64Array)[11] = 4000n;
  await assert.rejects(trainer.run(chunk), {
    code: 'RUNTIME_FAILED',
    message: /^Gather ".+" failed in tfjs: .*4000 is not in/,
  });
  await trainer.close();
});
