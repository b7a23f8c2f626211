import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCase } from '../../src/core/gradcheck/check-case.ts';
import { signAt } from '../../src/core/gradcheck/counter-hash.ts';
import { cotangentOfOutput, type GradientCase, inputOf } from '../../src/core/gradcheck/gradient-case.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import type { Chunk, TrainingKernel } from '../../src/core/program/kernel.ts';
import { kernels } from '../support/kernels.ts';

const [N, I, O] = [4, 3, 2];
const weight = [0.5, -1, 2, 0.25, -0.75, 1.5];
const x = { name: 'x', shape: [N, I], kind: 'float', seed: 3 };
const y = { name: 'y', shape: [N, O], seed: 5 };

const norm = (values: readonly number[]): number => Math.hypot(...values);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function model(): Model {
  const b = new GraphBuilder();
  const w = b.initializer('w', tensor('float32', [I, O], weight));
  b.output(b.op('MatMul', [b.input('x', 'float32', x.shape), w], {}, { outputs: ['y'] }));
  return b.model();
}

/** y = x w and dw = x^T c, written out. */
function reference(): GradientCase {
  const [rows, c] = [inputOf(x).data, cotangentOfOutput({ ...y, sum: 0, norm: 0 }).data] as Float32Array[];
  const product = (n: number, o: number): number =>
    total(Array.from({ length: I }, (_, i) => rows![n * I + i]! * weight[i * O + o]!));
  const out = Array.from({ length: N * O }, (_, k) => product(Math.floor(k / O), k % O));
  const dw = weight.map((_, k) =>
    total(Array.from({ length: N }, (_, n) => rows![n * I + Math.floor(k / O)]! * c![n * O + (k % O)]!)),
  );
  const proj = [0, 1, 2, 3].map((j) => total(dw.map((g, i) => g * signAt(16 * 9 + j, i + 1))));
  return {
    name: 'linear',
    mode: 'train',
    inputs: [x],
    outputs: [{ ...y, sum: total(out), norm: norm(out) }],
    loss: total(out.map((value, k) => value * c![k]!)),
    grads: [{ initializer: 'w', shape: [I, O], norm: norm(dw), seed: 9, proj }],
  };
}

/** The same kernel, but that its steps go on with what the first one was fed. */
const frozen = (kernel: TrainingKernel): TrainingKernel => ({
  ...kernel,
  async open(program, options) {
    const trainer = await kernel.open(program, options);
    const run = trainer.run.bind(trainer);
    trainer.run = (chunk: Chunk) => {
      const feeds = Object.entries(chunk.feeds).map(([name, { dtype, dims, data }]) => {
        const row = (data as Float32Array).subarray(0, data.length / chunk.steps);
        const rows = Float32Array.from({ length: data.length }, (_, i) => row[i % row.length]!);
        return [name, { dtype, dims, data: rows }];
      });
      return run({ ...chunk, feeds: Object.fromEntries(feeds) });
    };
    return trainer;
  },
});

for (const kernel of kernels) {
  test(`${kernel.name}: right gradients pass, alone and in a step`, async () => {
    const verdict = await checkCase(model(), reference(), kernel);
    assert.deepEqual(verdict.problems, []);
    assert.ok(verdict.passed && verdict.worst < 1e-5);
  });

  test(`${kernel.name}: a wrong gradient is found, and a step that does not look at what it is fed`, async () => {
    const right = reference();
    const wrong = { ...right, grads: right.grads.map((each) => ({ ...each, norm: 1.01 * each.norm })) };
    const { problems } = await checkCase(model(), wrong, kernel);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^gradient of w is off by /);
    const stuck = await checkCase(model(), right, frozen(kernel));
    assert.equal(stuck.problems.length, 1);
    assert.match(stuck.problems[0]!, /^gradient of w in a step is off by [12]/);
    assert.equal(stuck.passed, false);
  });
}
