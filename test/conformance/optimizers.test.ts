import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { optimizers } from '../../src/core/optimizers/index.ts';
import type { Optimizer, ReferenceState } from '../../src/core/optimizers/optimizer.ts';
import { resolveOptions } from '../../src/core/options.ts';

/** The quadratic sum_i h_i (p_i - t_i)^2 / 2. */
const curvature = [3, 0.5, 0.8];
const target = [1, -2, 0.5];
const start = [1.5, -0.75, 2];
const STEPS = 10;
const gradient = (p: readonly number[]) => p.map((value, i) => curvature[i]! * (value - target[i]!));
const distance = (p: readonly number[]) => Math.hypot(...p.map((value, i) => value - target[i]!));

/** Where torch 2.13 ends after 10 steps in float64, learning rate 0.1, weight decay 0.05. */
const torchEnds: Record<string, readonly { options: Record<string, unknown>; end: readonly number[] }[]> = {
  sgd: [
    { options: { nesterov: true }, end: [1.0399809679, -2.1418318601, -0.1090227555] },
    { options: { nesterov: false }, end: [1.274286038, -2.2182110543, -0.4127360975] },
  ],
  adam: [{ options: {}, end: [0.7795989119, -1.6824517011, 1.0368049003] }],
  adamw: [{ options: {}, end: [0.780644082, -1.6447824566, 0.9673645624] }],
  rmsprop: [{ options: { momentum: 0.5 }, end: [0.9609986199, -1.8115461522, 0.428638382] }],
};

/** Scalars of a step; momentum moves, so that a rule which ignores its schedule is caught. */
function scalarsAt(optimizer: Optimizer, options: Record<string, unknown>, step: number, cycled: boolean) {
  const own = Object.entries(optimizer.scalars).map(([name, option]) => [
    name,
    Number(options[option]) - (cycled ? 0.01 * step : 0),
  ]);
  return { learning_rate: 0.1, step, ...Object.fromEntries(own) } as Record<string, number>;
}

function referenceRun(optimizer: Optimizer, options: Record<string, unknown>, cycled: boolean): number[] {
  let state: ReferenceState = {
    param: start,
    grad: [],
    slots: Object.fromEntries(optimizer.slots.map((name) => [name, [0, 0, 0]])),
    scalars: {},
    weightDecay: 0.05,
  };
  for (let step = 1; step <= STEPS; step++) {
    const scalars = scalarsAt(optimizer, options, step, cycled);
    state = optimizer.reference({ ...state, grad: gradient(state.param), scalars }, options);
  }
  return [...state.param];
}

async function graphRun(optimizer: Optimizer, options: Record<string, unknown>): Promise<number[]> {
  const b = new GraphBuilder();
  const vector = (name: string) => b.input(name, 'float32', [3]);
  const slots = Object.fromEntries(optimizer.slots.map((name) => [name, vector(name)]));
  const derive = (step: number) => {
    const given = scalarsAt(optimizer, options, step, true);
    return { ...given, ...optimizer.derive?.(step, given, options) };
  };
  const names = Object.keys(derive(1)).filter((name) => name !== 'step');
  const scalars = Object.fromEntries(names.map((name) => [name, b.input(name, 'float32', [])]));
  const context = { b, param: vector('param'), grad: vector('grad'), slots, scalars, weightDecay: 0.05 };
  const next = optimizer.build(context, options);
  const outputs = [next.param, ...optimizer.slots.map((name) => next.slots[name]!)];
  b.output(...outputs);
  const session = await ort.InferenceSession.create(encodeModel(b.model()));

  let [param, ...values]: Float32Array[] = [
    Float32Array.from(start),
    ...optimizer.slots.map(() => new Float32Array(3)),
  ];
  for (let step = 1; step <= STEPS; step++) {
    const now = derive(step) as Record<string, number>;
    const results = await session.run({
      param: new ort.Tensor(param!, [3]),
      grad: new ort.Tensor(Float32Array.from(gradient([...param!])), [3]),
      ...Object.fromEntries(optimizer.slots.map((name, i) => [name, new ort.Tensor(values[i]!, [3])])),
      ...Object.fromEntries(names.map((name) => [name, new ort.Tensor(Float32Array.of(now[name]!), [])])),
    });
    [param, ...values] = outputs.map((name) => results[name]!.data as Float32Array);
  }
  await session.release();
  return [...param!];
}

function near(actual: readonly number[], expected: readonly number[], tolerance: number) {
  actual.forEach((value, i) => {
    const error = Math.abs(value - expected[i]!);
    assert.ok(error <= tolerance, `[${actual}] is not [${expected}] within ${tolerance}`);
  });
}

for (const [key, entry] of Object.entries(optimizers)) {
  const optimizer: Optimizer = entry;
  const cases = torchEnds[key] ?? [];

  test(`${key}: is named by its key and its scalars name options`, () => {
    assert.equal(optimizer.name, key);
    const options = resolveOptions(optimizer.options, {}, key) as Record<string, unknown>;
    for (const option of ['learningRate', 'weightDecay', ...Object.values(optimizer.scalars)]) {
      assert.equal(typeof options[option], 'number', option);
    }
  });

  test(`${key}: its reference ends where PyTorch ends`, () => {
    assert.ok(cases.length > 0, 'no PyTorch figures for this optimizer');
    for (const { options, end } of cases) {
      const resolved = resolveOptions(optimizer.options, options, key) as Record<string, unknown>;
      near(referenceRun(optimizer, resolved, false), end, 1e-9);
    }
  });

  test(`${key}: its graph makes ${STEPS} steps like its reference, momentum changing`, async () => {
    for (const { options } of cases) {
      const resolved = resolveOptions(optimizer.options, options, key) as Record<string, unknown>;
      const end = referenceRun(optimizer, resolved, true);
      near(await graphRun(optimizer, resolved), end, 2e-6);
      assert.ok(distance(end) < distance(start), 'the steps lead towards the minimum');
    }
  });
}
